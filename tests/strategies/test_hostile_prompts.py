"""Malformed prompts are perturbed or skipped, never corrupted, and in linear time."""

from __future__ import annotations

import pytest

from coderobust_strategies import names, perturb
from coderobust_strategies.audit import audit
from coderobust_strategies.prompt.anatomy import dissect
from coderobust_strategies.rewrite import diff

PROMPTS = {
    "no docstring": "def f(x):\n    return x\n",
    "empty docstring": 'def f(x):\n    """"""\n',
    "blank docstring": 'def f(x):\n    """   \n    """\n',
    "never closed": 'def f(x):\n    """Return the sum of both values',
    "broken signature": 'def f(x:\n    """Return the sum of both values"""\n',
    "stray quote": "x = 'oops\ndef f(x):\n    '''Return the sum of both values'''\n",
    "windows": 'def f(x):\r\n    """Return the sum\r\n    of both values."""\r\n',
    "accents": 'def f(x):\n    """Retourne la somme des éléments déjà triés ici."""\n',
    "cyrillic": 'def f(x):\n    """Вернуть сумму элементов."""\n',
    "right to left": 'def f(x):\n    """החזר את סכום הרשימה (sum of list)."""\n',
    "marks": 'def f(x):\n    """\u202eReturn\u202c the\u200b sum of e\u0301le\u0301ments."""\n',
    "surrogate": 'def f(x):\n    """Return \ud83d the sum."""\n',
    "nul": 'def f(x):\n    """Return \x00 the sum."""\n',
    "tabs": 'def f(x):\n\t"""Return the sum\n\tof both."""\n',
    "backslashes": 'def f(x):\n    """Return the \\\n    sum of \\"both\\" values."""\n',
}


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("kind", PROMPTS)
def test_a_bad_prompt_is_perturbed_without_damage_or_skipped(kind: str, name: str) -> None:
    prompt = PROMPTS[kind]
    for seed in range(3):
        made = perturb(prompt, name, seed, entry_point="f")

        assert bool(made.skipped) == (made.prompt == prompt)
        assert audit(prompt, made.prompt) == ()
        assert [c for c in made.prompt if not c.isascii()] == [c for c in prompt if not c.isascii()]
        assert made.prompt.count("\n") == prompt.count("\n")
        assert made.prompt.count("\r") == prompt.count("\r")


@pytest.mark.parametrize("kind", ["no docstring", "empty docstring", "blank docstring", "cyrillic"])
def test_a_prompt_without_an_eligible_word_is_skipped(kind: str) -> None:
    assert perturb(PROMPTS[kind], "C1", 0).skipped == "no eligible site"


REPEATED = [
    *(
        "word ",
        "a",
        "(",
        "f(",
        '"',
        "'",
        "x[",
        "a.b",
        "a-",
        "\\",
        "\n",
        "    \n",
        ">>> f(1)\n",
        "1",
    ),
    *(
        ">>> f(1)\n",
        "f(1) == ",
        "x = 1\n",
        "# ",
        "```\n",
        "'''",
        '"""',
        "* ",
        "a@",
        "<",
        "//",
        "f() ",
    ),
    *("Return the sum of all numbers.\n", "Example:\n"),
]


@pytest.mark.parametrize("piece", REPEATED)
@pytest.mark.parametrize("frame", ["{}", 'def f(x):\n    """{}"""\n'], ids=["text", "python"])
def test_a_hundred_kilobytes_are_taken_apart_in_linear_time(piece: str, frame: str) -> None:
    """Measures no time: with a quadratic pattern this test takes minutes."""
    prompt = frame.format(piece * (100_000 // len(piece)))
    anatomy = dissect(prompt, "f")

    assert "".join(anatomy.text(part) for part in anatomy.segments) == prompt
    assert audit(prompt, prompt) == ()
    assert diff(prompt, prompt + "x")[-1].replacement.endswith("x")
