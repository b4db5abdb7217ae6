"""HumanEval-X's rows, and the programs that answers in C++ and Java become."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import Project

from pytest_coderobust.errors import DataError
from pytest_coderobust.models.extraction.solution import extract
from pytest_coderobust.records import Task
from pytest_coderobust.tasks.load import load_tasks

CPP: dict[str, object] = {
    "task_id": "CPP/7",
    "prompt": "/*\nTwice the given number, as a whole number.\n>>> twice(2)\n4\n*/\n#include<math.h>\nusing namespace std;\nint twice(int x){\n",
    "declaration": "#include<math.h>\nusing namespace std;\n#include<stdlib.h>\nint twice(int x){\n",
    "canonical_solution": "    if (x) { return 2 * x; }\n    return 0;\n}\n",
    "test": "#undef NDEBUG\n#include<assert.h>\nint main(){\n    assert (twice(2) == 4);\n    assert (twice(0) == 0);\n}\n",
    "example_test": "",
}
JAVA: dict[str, object] = {
    "task_id": "Java/7",
    "prompt": "import java.util.*;\n\nclass Solution {\n    /**\n    Twice the given number, as a whole number.\n    >>> twice(2)\n    4\n     */\n    public int twice(int x) {\n",
    "declaration": "import java.util.*;\n\nclass Solution {\n    public int twice(int x) {\n",
    "canonical_solution": "        return 2 * x;\n    }\n}\n",
    "test": "public class Main {\n    public static void main(String[] args) {\n        Solution s = new Solution();\n        List<Boolean> correct = Arrays.asList(\n            s.twice(2) == 4,\n            s.twice(0) == 0\n        );\n        if (correct.contains(false)) {\n            throw new AssertionError();\n        }\n    }\n}\n",
}


def task(folder: Path, row: Mapping[str, object], **change: object) -> Task:
    (folder / "x.jsonl").write_text(json.dumps({**row, **change}) + "\n")
    return load_tasks("x.jsonl", base=folder).tasks[0]


def test_a_row_becomes_a_task_in_its_language(tmp_path: Path) -> None:
    found = task(tmp_path, CPP)
    assert (found.id, found.language, found.entry_point) == ("CPP/7", "cpp", "twice")
    assert (found.prompt, found.canonical) == (CPP["prompt"], CPP["canonical_solution"])
    assert (found.tests.source, found.tests.style) == (CPP["test"], "compiled")
    assert found.preamble == "#include<math.h>\nusing namespace std;\n#include<stdlib.h>\n"
    other = task(tmp_path, JAVA)
    assert (other.language, other.entry_point) == ("java", "twice")
    assert other.preamble == "import java.util.*;\n\nclass Solution {\n"


@pytest.mark.parametrize(
    ("declaration", "name"),
    [
        ("vector<vector<int>> get_row(vector<vector<int>> lst, int x){\n", "get_row"),
        ("string helper(string s){\n  if (s==\"\") {\n  }\n}\nstring outer(string s){\n", "outer"),
        ("string cut_short(string s){\n   for (int i=0;i*3<5;i++)\n    {\n", "cut_short"),
        ("    public List<Map<String, Integer>> many(Map<String, int[]> m) throws Exception {\n", "many"),
        ("template <class T> T* first (T *a) {\n", "first"),
    ],
)  # fmt: skip
def test_the_entry_point_is_the_last_function(tmp_path: Path, declaration: str, name: str) -> None:
    assert task(tmp_path, CPP, declaration=declaration).entry_point == name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task_id": "CCP/7"}, "unknown language 'CCP' in 'task_id'; did you mean 'CPP'?"),
        ({"task_id": "7"}, "unknown language '7'"),
        ({"declaration": "int x;"}, "'declaration' does not open a function"),
        ({"test": "assert(1);"}, "'test' has no int main()"),
        ({"canonical_solution": None}, "'canonical_solution' must be a string, not null"),
    ],
)
def test_a_bad_row_is_one_sentence(
    tmp_path: Path, change: Mapping[str, object], message: str
) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps({**CPP, **change}) + "\n")
    with pytest.raises(DataError) as caught:
        load_tasks("x.jsonl", base=tmp_path, fmt="humaneval-x")
    assert str(caught.value).startswith("x.jsonl, line 1: ")
    assert message in str(caught.value)


def test_a_row_without_a_solution_says_so(tmp_path: Path) -> None:
    row = {key: value for key, value in CPP.items() if key != "canonical_solution"}
    (tmp_path / "x.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match="line 1: the key 'canonical_solution' is missing"):
        load_tasks("x.jsonl", base=tmp_path, fmt="humaneval-x")


def test_a_continuation_ends_where_its_function_does(tmp_path: Path) -> None:
    found = task(tmp_path, CPP)
    body = "    // a } in a comment\n    char c = '}'; string s = \"}\";\n    return 2 * x;\n}"
    more = "\n\nint main() {\n    twice(1);\n}\n"
    assert extract(body + more, found) == f"{found.prompt}{body}\n"
    assert extract(body + more, found, "raw") == found.prompt + body + more
    torn = "    if (x) {\n        return 2"
    assert extract(torn, found) == found.prompt + torn


def test_a_java_method_gets_the_brace_of_its_class(tmp_path: Path) -> None:
    found = task(tmp_path, JAVA)
    method, whole = "        return 2 * x;\n    }", "        return 2 * x;\n    }\n}"
    assert extract(method, found) == f"{found.prompt}{method}\n}}\n"
    assert extract(f"{whole}\nclass Main {{ }}", found) == f"{found.prompt}{whole}\n"


def test_a_repeated_function_loses_its_main(tmp_path: Path) -> None:
    found = task(tmp_path, CPP)
    function = "int twice(int x){\n    return 2 * x;\n}\n"
    answer = f"Here:\n```cpp\n#include <map>\n{function}\nint main() {{ return twice(1); }}\n```\n"
    assert extract(answer, found).strip() == f"{found.preamble}#include <map>\n{function}".strip()
    other = task(tmp_path, JAVA)
    method = "public int twice(int x) {\n    return 2 * x;\n}\n"
    assert extract(f"```java\n{method}```", other).split() == f"{other.preamble}{method}}}".split()
    own = f"class Solution {{\n{method}}}\n"
    chat = f"```java\n{own}\npublic class Main {{ }}\n```"
    assert extract(chat, other).split() == f"import java.util.*;\n{own}".split()


def test_items_are_skipped_with_the_reason_where_there_is_no_compiler(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_tasks([JAVA, {**project.tasks[0]}])
    project.write_suite('perturbations = ["C1"]')
    monkeypatch.setenv("PATH", str(project.path))
    result = project.run("toy.toml", "--model", "oracle", "-rs")
    assert result.ret == 0
    assert "2 skipped, 1 solved, 1 robust" in result.stdout.str()
    assert "Java needs javac and java, not found here" in " ".join(result.outlines)
