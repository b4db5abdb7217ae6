from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Cell, PromptForm
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tasks.recording_row import find_recorded_level
from pytest_coderobust.tasks.recordings import RecordedSet, load_recorded

CLEAN = [
    {
        "task_id": f"Own/{i}",
        "prompt": f'def f{i}(a):\n    """Add {i} to the number."""\n',
        "entry_point": f"f{i}",
        "canonical_solution": f"    return a + {i}\n",
        "test": f"def check(candidate):\n    assert candidate(1) == {1 + i}\n",
    }
    for i in range(3)
]
MBPP: list[dict[str, object]] = [
    {
        "task_id": str(i),
        "prompt": f"Write a function to add {i}.",
        "code": f"import math\ndef f{i}(a):\n  return a + {i}",
        "test_imports": "[]",
        "test_list": f"['assert f{i}(1) == {1 + i}', 'assert f{i}(2)']",
    }
    for i in range(3)
]


def perturbed(row: Mapping[str, object], **changes: object) -> dict[str, object]:
    return {**row, "prompt": str(row["prompt"]).replace("Add", "Dad"), "seed": 0, **changes}


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def load(
    folder: Path,
    *patterns: str,
    clean: Sequence[Mapping[str, object]] = CLEAN,
    form: PromptForm = "docstring",
) -> RecordedSet:
    write(folder / "clean.jsonl", clean)
    tasks = load_tasks("clean.jsonl", base=folder, form=form)
    return load_recorded(patterns, base=folder, tasks=tasks, form=form)


def test_rows_pair_with_the_clean_task_of_their_id(tmp_path: Path) -> None:
    write(
        tmp_path / "r" / "humaneval_Typo_s4.jsonl", [perturbed(row, seed=4) for row in CLEAN[::-1]]
    )
    found = load(tmp_path, "r/*.jsonl")
    cell = Cell("recorded:Typo", 4)
    assert list(found.variants) == [cell]
    for row in CLEAN:
        variant = found.variants[cell][row["task_id"]]
        assert variant.prompt == row["prompt"].replace("Add", "Dad")
        assert (variant.task.prompt, variant.task.entry_point) == (
            row["prompt"],
            row["entry_point"],
        )
        assert (variant.cell, variant.skipped, variant.edits) == (cell, "", ())
    assert found.notes == ()


@pytest.mark.parametrize(
    ("file", "row", "cell"),
    [
        ("humaneval_keyboard_typo.csv", {"seed": ""}, Cell("recorded:keyboard_typo", 0)),
        ("mbpp_c1.csv", {"seed": ""}, Cell("recorded:c1", 0)),
        ("HumanEval_Swap_s2.jsonl", {"seed": None}, Cell("recorded:Swap", 2)),
        ("humaneval_Swap_s2.jsonl", {"seed": 7}, Cell("recorded:Swap", 7)),
        ("my_s_own.jsonl", {"seed": "3"}, Cell("recorded:my_s_own", 3)),
        ("any.v2.jsonl", {"perturbation": "P-1"}, Cell("recorded:P-1", 0)),
    ],
)
def test_the_cell_comes_from_the_row_then_from_the_files_name(
    tmp_path: Path, file: str, row: Mapping[str, object], cell: Cell
) -> None:
    write(tmp_path / file, [perturbed(CLEAN[0], **row)])
    assert list(load(tmp_path, file).variants) == [cell]


def test_mbpp_rows_pass_through_the_form_of_the_clean_prompt(tmp_path: Path) -> None:
    rows = [{**row, "prompt": f"Wirte {i}"} for i, row in enumerate(MBPP)]
    write(tmp_path / "mbpp_swap.csv", rows)
    found = load(tmp_path, "mbpp_swap.csv", clean=MBPP)
    variant = found.variants[Cell("recorded:swap", 0)]["MBPP/1"]
    assert variant.prompt == variant.task.prompt.replace("Write a function to add 1.", "Wirte 1")
    assert variant.prompt.startswith('import math\n\n\ndef f1(a):\n    """Wirte 1\n    >>> f1(1)\n')
    plain = load(tmp_path, "mbpp_swap.csv", clean=MBPP, form="plain")
    assert plain.variants[Cell("recorded:swap", 0)]["MBPP/1"].prompt == (
        '"""Wirte 1\nassert f1(1) == 2\nassert f1(2)\n"""\n'
    )


def test_a_file_without_prompts_is_named_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "a_blank.csv").write_text("\n" * 165)
    (tmp_path / "b_column.csv").write_text("source_file\nx.ipynb\n")
    write(tmp_path / "c_typo.csv", [perturbed(CLEAN[0])])
    found = load(tmp_path, "*_*.csv")
    assert [cell.perturbation for cell in found.variants] == ["recorded:c_typo"]
    assert found.notes == (
        "a_blank.csv holds no prompts and was left out",
        "b_column.csv holds no prompts and was left out",
    )


def test_an_unchanged_row_is_skipped_and_counted(tmp_path: Path) -> None:
    write(tmp_path / "typo.jsonl", [CLEAN[0], perturbed(CLEAN[1])])
    found = load(tmp_path, "typo.jsonl")
    skips = {task: v.skipped for task, v in found.variants[Cell("recorded:typo", 0)].items()}
    assert skips == {"Own/0": "unchanged in the recording", "Own/1": ""}
    assert found.notes == ("typo.jsonl: 1 row equal to the clean prompt, skipped",)


def test_seeds_that_are_equal_are_counted_and_kept(tmp_path: Path) -> None:
    for seed in range(3):
        differing = CLEAN[1]["prompt"].replace("Add", "A" + "d" * (seed + 3))
        rows = [
            perturbed(CLEAN[0], seed=seed),
            {**CLEAN[1], "prompt": differing, "seed": seed},
            {**CLEAN[2], "seed": seed},
        ]
        write(tmp_path / f"humaneval_Typo_s{seed}.jsonl", rows)
    write(tmp_path / "humaneval_Swap_s0.jsonl", [perturbed(CLEAN[0])])
    found = load(tmp_path, "humaneval_*.jsonl")
    assert [cell.label for cell in found.variants] == [
        "recorded:Swap-s0", "recorded:Typo-s0", "recorded:Typo-s1", "recorded:Typo-s2",
    ]  # fmt: skip
    assert all(not variants["Own/0"].skipped for variants in found.variants.values())
    same = "1 row equal to the clean prompt, skipped"
    repeated = "1 row equal to the row of another seed, kept"
    assert found.notes == (
        f"humaneval_Typo_s0.jsonl: {same}",
        f"humaneval_Typo_s1.jsonl: {same}",
        f"humaneval_Typo_s1.jsonl: {repeated}",
        f"humaneval_Typo_s2.jsonl: {same}",
        f"humaneval_Typo_s2.jsonl: {repeated}",
    )


def test_rows_of_other_tasks_and_other_versions_are_counted(tmp_path: Path) -> None:
    rows = [
        perturbed(CLEAN[0], original_prompt="another"),
        perturbed(CLEAN[1], test="assert True"),
        perturbed(CLEAN[2], task_id="Own/9"),
        perturbed(CLEAN[2], task_id="Own/10"),
    ]
    write(tmp_path / "typo.jsonl", rows)
    found = load(tmp_path, "typo.jsonl")
    assert found.variants[Cell("recorded:typo", 0)].keys() == {"Own/0", "Own/1"}
    assert found.variants[Cell("recorded:typo", 0)]["Own/1"].task.tests.source == CLEAN[1]["test"]
    assert found.notes == (
        "typo.jsonl: 2 rows of no task of the suite, left out",
        "typo.jsonl: 2 rows recorded from another clean prompt or with other tests",
    )


def test_a_renamed_function_brings_its_own_judge(tmp_path: Path) -> None:
    row = perturbed(
        CLEAN[0],
        prompt='def F0(a):\n    """Add 0 to the number."""\n',
        entry_point="F0",
        canonical_solution="    return a\n",
    )
    write(tmp_path / "rename.jsonl", [row])
    variant = load(tmp_path, "rename.jsonl").variants[Cell("recorded:rename", 0)]["Own/0"]
    assert (variant.task.id, variant.task.entry_point) == ("Own/0", "F0")
    assert (variant.task.canonical, variant.task.prompt) == ("    return a\n", row["prompt"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([perturbed(CLEAN[0]), perturbed(CLEAN[0])], "has a variant under 'recorded:typo-s0' already: typo.jsonl, line 1"),
        ([perturbed(CLEAN[0], seed="x")], "'seed' must be a whole number from 0, not 'x'"),
        ([perturbed(CLEAN[0], seed=-1)], "'seed' must be a whole number from 0, not -1"),
        ([perturbed(CLEAN[0], seed=True)], "'seed' must be a whole number from 0, not True"),
        ([perturbed(CLEAN[0], perturbation="a b")], "the perturbation's name 'a b' must be of"),
        ([perturbed(CLEAN[0], perturbation="a]::b")], "the perturbation's name"),
        ([perturbed(CLEAN[0], task_id="Own/9")], "none of its 1 rows pairs with a task of the suite"),
        ([perturbed(CLEAN[0]), {"task_id": "Own/1"}], "line 2: the key 'prompt' is missing"),
    ],
)  # fmt: skip
def test_bad_rows_are_one_sentence(
    tmp_path: Path, rows: list[Mapping[str, object]], message: str
) -> None:
    write(tmp_path / "typo.jsonl", rows)
    with pytest.raises(DataError) as caught:
        load(tmp_path, "typo.jsonl")
    assert message in str(caught.value)


def test_another_function_than_the_clean_tasks_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "typo.csv", [{**MBPP[0], "task_id": "1"}])
    with pytest.raises(DataError, match=r"calls the function 'f0' where .* MBPP/1 has 'f1'"):
        load(tmp_path, "typo.csv", clean=MBPP)


def test_a_pattern_without_files_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEROBUST_DATA", "/nowhere")
    with pytest.raises(
        DataError, match=r"recorded = 'no/\*' matches no file below .* nor below /nowhere"
    ):
        load(tmp_path, "no/*")


def test_files_are_found_below_the_data_folder_and_by_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "data" / "sets" / "typo.jsonl", [perturbed(CLEAN[0])])
    (tmp_path / "base").mkdir()
    monkeypatch.setenv("CODEROBUST_DATA", str(tmp_path / "data"))
    below = load(tmp_path / "base", "sets/*.jsonl")
    absolute = load(tmp_path / "base", str(tmp_path / "data" / "**" / "*.jsonl"))
    assert below.digest == absolute.digest
    assert list(below.variants) == [Cell("recorded:typo", 0)]


def test_a_file_named_twice_is_read_once_in_sorted_order(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl"):
        write(tmp_path / "r" / name, [perturbed(CLEAN[0])])
    found = load(tmp_path, "r/*.jsonl", "r/a.jsonl")
    assert [cell.perturbation for cell in found.variants] == ["recorded:a", "recorded:b"]


def test_the_digest_follows_the_prompts(tmp_path: Path) -> None:
    digests: set[str] = set()
    for change in ({}, {"prompt": "other"}, {"seed": 1}, {"perturbation": "x"}):
        write(tmp_path / "typo.jsonl", [perturbed(CLEAN[0], **change)])
        digests.add(load(tmp_path, "typo.jsonl").digest)
    assert len(digests) == 4
    assert load(tmp_path, "typo.jsonl").digest in digests


def test_without_patterns_there_are_no_variants(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert (dict(found.variants), found.notes) == ({}, ())


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("recorded:keyboard_typo", "character"),
        ("recorded:SynonymInsertion", "word"),
        ("recorded:rephrasing_sentence", "sentence"),
        ("recorded:mine", "recorded"),
        ("keyboard_typo", "recorded"),
    ],
)
def test_levels(name: str, level: str) -> None:
    assert find_recorded_level(name) == level
