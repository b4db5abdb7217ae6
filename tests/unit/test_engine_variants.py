"""The variants of a plan: ratios, rewriters, recorded rows and the notes that go with them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_coderobust.config.suite import read_suite
from pytest_coderobust.engine.plan import Plan, read_plan
from pytest_coderobust.engine.variants import make_variant, prepare
from pytest_coderobust.errors import DataError, ModelError, UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import Cell, Variant


def task(number: int) -> dict[str, object]:
    return {
        "task_id": f"Own/{number}",
        "prompt": f'def f{number}(value):\n    """Return {number} more than the given value."""\n',
        "entry_point": f"f{number}",
        "canonical_solution": f"    return value + {number}\n",
        "test": f"def check(candidate):\n    assert candidate(1) == {1 + number}\n",
    }


def plan(folder: Path, keys: str, sections: str = "", *, tasks: int = 40) -> Plan:
    rows = "".join(json.dumps(task(number)) + "\n" for number in range(tasks))
    (folder / "tasks.jsonl").write_text(rows)
    path = folder / "s.toml"
    path.write_text(f'[suite]\ntasks = "tasks.jsonl"\n{keys}\n{sections}\n')
    return read_plan(read_suite(path))


def variants(made: Plan, label: str) -> list[Variant]:
    (cell,) = [cell for cell in made.cells if cell.label == label]
    return [make_variant(made, task, cell) for task in made.tasks.values()]


def perturbed(made: Plan, label: str) -> set[str]:
    return {variant.task.id for variant in variants(made, label) if not variant.skipped}


def test_a_higher_sample_ratio_perturbs_the_samples_of_a_lower_one_and_more(
    tmp_path: Path,
) -> None:
    shares = [
        perturbed(plan(tmp_path, f'perturbations = ["C3"]\nsample_ratio = {ratio}'), "C3-s0")
        for ratio in (0, 0.1, 0.5, 0.9, 1)
    ]
    assert all(few <= more for few, more in pairwise(shares))
    assert (len(shares[0]), len(shares[-1])) == (0, 40)
    assert 10 <= len(shares[2]) <= 30
    left = variants(plan(tmp_path, 'perturbations = ["C3"]\nsample_ratio = 0'), "C3-s0")
    assert {v.skipped for v in left} == {"left clean by sample_ratio"}


def test_s_and_mix_all_say_that_they_lack_s1(tmp_path: Path) -> None:
    made = plan(tmp_path, 'perturbations = ["C1", "S", "mix_all"]')
    assert made.notes == (
        "S and mix_all draw without S1: back-translation needs a rewriter ([rewriters] S1)",
    )


def write_rows(folder: Path, **changes: str) -> str:
    lines: list[str] = []
    for number in range(3):
        prompt = str(task(number)["prompt"]).replace("Return", changes.get(f"t{number}", "Give"))
        lines.append(json.dumps({**task(number), "prompt": prompt, "perturbation": "reworded"}))
    (folder / "rows.jsonl").write_text("\n".join(lines))
    return '[rewriters]\n"nlp:P1" = "rows:rows.jsonl"'


def test_recorded_rows_stand_in_for_a_rewriter(tmp_path: Path) -> None:
    sections = write_rows(tmp_path, t1="Give 8 for", t2="Return")
    made = plan(tmp_path, 'perturbations = ["nlp:P1"]\nseeds = 2', sections, tasks=4)
    found = variants(made, "nlp:P1-s1")
    assert [v.skipped for v in found] == [
        "", "damaged by the rewriter: numbers", "the rewriter changed nothing", "not recorded",
    ]  # fmt: skip
    assert found[0].prompt == str(task(0)["prompt"]).replace("Return", "Give")
    assert [edit.replacement for edit in found[0].edits] == ["Give"]


def test_damage_is_kept_where_the_suite_says_so(tmp_path: Path) -> None:
    sections = write_rows(tmp_path, t1="Give 8 for")
    keys = 'perturbations = ["nlp:P1"]\ndamaged = "keep"'
    found = variants(plan(tmp_path, keys, sections, tasks=2), "nlp:P1-s0")
    assert [v.damage for v in found] == ["", "numbers"]
    assert "Give 8 for" in found[1].prompt


@pytest.mark.parametrize("keep", [False, True])
def test_recorded_files_go_through_the_auditor(tmp_path: Path, keep: bool) -> None:
    write_rows(tmp_path, t1="Give 8 for")
    keys = 'recorded = "rows.jsonl"' + ('\ndamaged = "keep"' if keep else "")
    made = plan(tmp_path, keys, tasks=3)
    found = variants(made, "recorded:reworded-s0")
    fate = 'kept (damaged = "keep")' if keep else "left out"
    assert made.notes == (f"rows.jsonl: 1 of 3 rows are damaged and were {fate}: 1 numbers",)
    assert found[1].skipped == ("" if keep else "damaged in the recording: numbers")
    assert found[1].damage == "numbers"


def test_what_a_rewriter_wrote_is_remembered_by_the_ledger(tmp_path: Path) -> None:
    (tmp_path / "counting_rewriter.py").write_text(
        "calls = []\ndef ask(text):\n    calls.append(text)\n    return 'Please ' + text\n"
    )
    sections = '[rewriters]\nS1 = "counting_rewriter:ask"'
    first = plan(tmp_path, 'perturbations = ["S1"]\nseeds = 2', sections, tasks=3)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    made = [read_plan(first.config, lambda: ledger) for _ in range(2)]
    texts = [[v.prompt for s in (0, 1) for v in variants(each, f"S1-s{s}")] for each in made]
    import counting_rewriter  # type: ignore[import-not-found]

    assert texts[0] == texts[1]
    assert len(counting_rewriter.calls) == 3
    prepare(made[0], [("Own/0", Cell("S1", 0))])
    ledger.close()


@pytest.mark.parametrize(
    ("rewriter", "message"),
    [
        ("no_such_module:ask", "no_such_module:ask cannot be imported"),
        ("json:no_such", "json:no_such cannot be imported"),
        ("string:digits", "string:digits is not a function"),
        ("transformers:./nowhere", "nowhere is not a folder of a model"),
        ("apertium:zzz", "apertium"),
    ],
)
def test_a_rewriter_that_lacks_something_is_refused_with_the_plan(
    tmp_path: Path, rewriter: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        plan(tmp_path, 'perturbations = ["S1"]', f'[rewriters]\nS1 = "{rewriter}"')
    assert message in str(caught.value)
    assert "[rewriters] S1" in str(caught.value)


def test_a_rewriter_nobody_uses_is_not_opened(tmp_path: Path) -> None:
    assert (
        plan(tmp_path, 'perturbations = ["C1"]', '[rewriters]\nS1 = "no_such:ask"').rewrite_sources
        == {}
    )


@pytest.mark.parametrize("body", ["return 1 / 0", "return None"])
def test_a_rewriter_that_fails_is_trouble_of_the_harness(tmp_path: Path, body: str) -> None:
    name = f"bad_rewriter_{len(body)}"
    (tmp_path / f"{name}.py").write_text(f"def ask(text):\n    {body}\n")
    made = plan(tmp_path, 'perturbations = ["S1"]', f'[rewriters]\nS1 = "{name}:ask"', tasks=1)
    with pytest.raises(ModelError, match=f"rewriter '{name}:ask'"):
        variants(made, "S1-s0")


def test_the_partial_form_needs_solutions(tmp_path: Path) -> None:
    row = {key: value for key, value in task(1).items() if key != "canonical_solution"}
    (tmp_path / "bare.jsonl").write_text(json.dumps(row))
    path = tmp_path / "s.toml"
    path.write_text('[suite]\ntasks = "bare.jsonl"\nprompt_form = "partial"\n')
    with pytest.raises(DataError, match=r"bare.jsonl, line 1: the task 'Own/1' has no canonical"):
        read_plan(read_suite(path))
