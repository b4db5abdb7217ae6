"""Hand-written rows in the two forms of CLMEEval's arrays."""

from __future__ import annotations

from typing import Any


def _code(name: str, sign: str) -> str:
    return f"def {name}(a, b):\n    return a {sign} b"


_AROUND = [
    {"code": _code(name, sign), "code_doc": name}
    for name, sign in (("sub", "-"), ("mul", "*"), ("div", "/"), ("rest", "%"), ("power", "**"))
]

CSNE: list[dict[str, Any]] = [
    {
        "case_id": place,
        "edit_request": {
            "code": code,
            "code_doc": doc,
            "code_rewrite": code.replace("a", "x").replace("b", "y").replace("xdd", "add"),
        },
        "neighborhoods": {"items": _AROUND, "answers": {"CodeLlama-7b-hf": [""] * 5}},
    }
    for place, (code, doc) in enumerate(
        (
            ("def add(a, b):\n    return a + b", "Add two numbers."),
            ("def head(a):\n    return a[0]", "Return the first element of a list."),
            ("def say(a):\n    print(a)", "Print a value on one line."),
        )
    )
]
CSNE[0]["edit_request"]["code_rewrite"] = "def add(x, y):\n    return x + y"

CNLE: list[dict[str, Any]] = [
    {
        "case_id": 7,
        "edit_request": {
            "intent": "reverse a list `x`",
            "snippet": "x[::-1]",
            "rewritten_intent": "turn list `x` around",
        },
        "neighborhoods": {
            "items": [
                {"intent": intent, "snippet": ""}
                for intent in (
                    "copy a list",
                    "sum a list",
                    "clear a list",
                    "join lists",
                    "sort a list",
                )
            ],
            "answers": {},
        },
    }
]
