"""Ends of answers in C++ and Java: at the brace that closes the function and its class."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.braced_source import BALANCED, LANGUAGES, ODD, draw_pieces, join_pieces

from coderobust_strategies.prompt.braced import BracedLanguage
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import Language, Task, Tests
from pytest_coderobust.tasks.load import load_tasks

HEAD = {"cpp": "int twice(int x) {\n", "java": "    public int twice(int x) {\n"}
PREAMBLE = {"cpp": "#include <vector>\n", "java": "import java.util.*;\n\nclass Solution {\n"}
COMMENT = "/** Twice it, e.g. twice(2) { 4 }. */\n"
CLOSING = {"cpp": "}", "java": "    }\n}"}


def make_task(language: Language, head: str = "", preamble: str = "") -> Task:
    head, preamble = head or HEAD[language], preamble or PREAMBLE[language]
    tests = Tests("", "compiled")
    return Task("T/0", preamble + COMMENT + head, "twice", tests, preamble=preamble, language=language)  # fmt: skip


TASKS = {language: make_task(language) for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=40)
@given(data=st.data())
def test_a_continuation_ends_at_its_own_last_brace(
    language: BracedLanguage, data: st.DataObject
) -> None:
    task = TASKS[language]
    body, _ = join_pieces(data.draw(draw_pieces(language, BALANCED)))
    more, _ = join_pieces(data.draw(draw_pieces(language, [*BALANCED, "{", "}", "int main("])))
    whole = f"    {body}\n{CLOSING[language]}"
    assert extract(f"{whole}\n{more}", task).rstrip() == task.prompt + whole


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=40)
@given(data=st.data())
def test_a_repeated_function_ends_there_too(language: BracedLanguage, data: st.DataObject) -> None:
    task = TASKS[language]
    body, _ = join_pieces(data.draw(draw_pieces(language, BALANCED)))
    function = f"{HEAD[language]}{body}\n}}\n"
    example = "int main() { twice(1);" if language == "cpp" else "public class Main { {"
    closing = "}" if language == "java" else ""
    for tail in ("", example, "That is all.", function, "int other() { if (", "}\n"):
        found = extract(f"```\n{function}{tail}\n```", task)
        assert found.split() == f"{task.preamble}{function}{closing}".split(), tail


@given(
    language=st.sampled_from(LANGUAGES),
    text=st.lists(
        st.sampled_from([*ODD, "\n", "```", "int twice(int x) {", "class Solution {", "return x;"]),
        max_size=40,
    ).map("".join),
)
def test_any_answer_becomes_a_program(language: Language, text: str) -> None:
    task = TASKS[language]
    found = extract(text, task)
    assert found.startswith((task.prompt, task.preamble.split("\n")[0], "class", "import"))


@pytest.mark.parametrize(
    "torn",
    [
        "",
        "\n",
        "\n    private int other() {\n        if (a) {",
        "\n    // and { then\n    private int oth",
        "\n    int[] a = {1, 2};\n    int other(",
        '\n    String s = """\n  { ',
        "\n    /* so { it",
        "\n    Runnable r = new Runnable() { public void run() { } }\n        .then(",
    ],
)
def test_a_class_that_never_closes_is_closed_behind_its_last_member(torn: str) -> None:
    task = TASKS["java"]
    method = "        return 2 * x;\n    }"
    kept = torn[: torn.index(";") + 1] if "};" in torn else ""
    assert extract(method + torn, task) == f"{task.prompt}{method}{kept}\n}}\n"


def test_a_member_of_the_class_that_the_function_needs_stays() -> None:
    task = TASKS["java"]
    method = "        return two * helper(x);\n    }"
    helper = "\n    int helper(int x) { return x; }\n    int two = 2;"
    lambda_ = "\n    Runnable r = new Runnable() { public void run() { } }\n        .then(1);"
    assert extract(f"{method}{helper}{lambda_}\n    int torn(", task) == (
        f"{task.prompt}{method}{helper}{lambda_}\n}}\n"
    )


@pytest.mark.parametrize(
    "prose",
    [
        "\n\nThis doubles the number; it is fast.\n",
        "\n- adds it to itself;\n- returns that;\n",
        "\n**Note**: no overflow is handled; see above (int x = 1;\n",
    ],
)
def test_prose_with_semicolons_is_no_member_of_a_class(prose: str) -> None:
    method = "        return 2 * x;\n    }"
    for field in (
        "",
        "\n    private static final Map<String, List<int[]>> SEEN = new HashMap<>();",
    ):
        task = TASKS["java"]
        found = extract(f"{method}{field}{prose}", task)
        assert found == f"{task.prompt}{method}{field}\n}}\n"


@pytest.mark.parametrize(
    "field",
    [
        "int x;", "final long[] a, b;", "java.util.List<String> x = f();", ";", "int f(int x);",
        "@Deprecated(since = \"1\") private int x;", "static <T extends A<T>> T make(T x);",
        "private // why\n    int y = 1;", "double[][] grid = new double[2][2];",
    ],
)  # fmt: skip
def test_members_without_a_body_stay(field: str) -> None:
    task = TASKS["java"]
    answer = f"        return 2 * x;\n    }}\n    {field}"
    assert extract(answer, task) == f"{task.prompt}{answer}\n}}\n"


@pytest.mark.parametrize(
    "unit",
    ['@SuppressWarnings("unchecked")\n', "@A(@B(1)) ", "static ", "List<A> ", "@A(", "[ ] ", "x; "],
)
def test_a_model_that_repeats_itself_is_read_in_time(unit: str) -> None:
    """With a pattern that reads a text in several ways, twenty repetitions take longer than a day."""
    answer = "        return 2 * x;\n    }\n\n" + unit * 3000 + "+ x;\n" * 3000
    assert extract(answer, TASKS["java"]).startswith(TASKS["java"].prompt)


def test_a_function_that_never_closes_stays_torn() -> None:
    for language in LANGUAGES:
        text = "    if (x) {\n        return 2 * x;\n    }\n"
        assert extract(text, TASKS[language]) == TASKS[language].prompt + text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_that_repeats_itself_ends_before_that(language: BracedLanguage) -> None:
    task = TASKS[language]
    body = "        return 2 * x;\n    }\n" if language == "java" else "    return 2 * x;\n}\n"
    again = f"{COMMENT}{HEAD[language]}    return 3;\n}}\n"
    closing = "}" if language == "java" else ""
    expected = f"{task.prompt}{body}{closing}".split()
    assert extract(body + again, task).split() == expected
    assert extract(body + again + "    torn(", task).split() == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_main_in_front_of_the_function_is_left_out(language: BracedLanguage) -> None:
    task = TASKS[language]
    function = f"{HEAD[language]}return 2 * x;\n}}\n"
    if language == "cpp":
        answer = f"int twice(int x);\nint main() {{ return twice(1); }}\n{function}"
        expected = f"{task.preamble}int twice(int x);\n{function}"
    else:
        example = "public class Main { public static void main(String[] a) { } }\n"
        answer = f"{example}class Solution {{\n{function}}}\n"
        expected = f"import java.util.*;\nclass Solution {{\n{function}}}"
    assert extract(f"```\n{answer}```", task).split() == expected.split()


def test_an_overload_is_no_repetition() -> None:
    task = TASKS["java"]
    body = "        return twice(x, 2);\n    }\n\n    public int twice(int x, int n) { return n * x; }\n}"
    assert extract(body, task) == task.prompt + body


def test_a_class_in_cpp_keeps_its_semicolon() -> None:
    head = "    int twice(int x) {\n"
    task = make_task("cpp", head, "class Solution {\npublic:\n")
    body = "        return 2 * x;\n    }\n};"
    assert extract(f"{body}\nint main() {{ }}", task) == f"{task.prompt}{body}\n"
    torn = "        return 2 * x;\n    }\n    int other("
    assert extract(torn, task) == task.prompt + "        return 2 * x;\n    }\n};\n"


def test_imports_of_a_method_go_above_its_class() -> None:
    task = TASKS["java"]
    function = f"{HEAD['java']}        return 2 * x;\n    }}\n"
    found = extract(f"```java\nimport java.math.BigInteger;\n\n{function}```", task)
    assert found.split() == f"import java.math.BigInteger; {task.preamble}{function}}}".split()
    whole = f"package our.own;\nimport java.math.*;\nclass Solution {{\n{function}}}\n"
    found = extract(f"```java\n{whole}```", task)
    assert found.split() == f"import java.util.*; import java.math.*; class Solution {{ {function} }}".split()  # fmt: skip


JUNK = (
    "\n\nint main() {\n    return 0;\n",
    "\nThis isn't (code }, it's prose; so what?\n",
    "\npublic class Main {\n    public static void main(String[] args) {\n",
    "\n/*\nThe next task { begins.\n*/\n#include <vector>\nusing namespace std;\nint next(int x) {\n",
    "\n}\n}\n",
    "\n```\n",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_canonical_solutions_lose_what_follows_them(data: Path, language: Language) -> None:
    tasks = load_tasks(f"humaneval-{language}", base=data).tasks
    for task in tasks:
        body = str(task.canonical)
        own = extract(body, task)
        # Two in C++ have a line for the preprocessor behind their last brace.
        left_out = (task.prompt + body).removeprefix(own.rstrip()).strip()
        assert not left_out or left_out.startswith("#"), task.id
        head = task.prompt[task.prompt.rindex(f"{task.entry_point}(") :]
        for junk in (*JUNK, f"\n{task.preamble}{head}"):
            assert extract(body + junk, task).split() == own.split(), (task.id, junk)
    assert len(tasks) == 164
