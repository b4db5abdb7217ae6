"""Built sets: answers to the byte, protected text untouched, nested shares, one manifest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from coderobust_strategies.audit import audit, is_damaged
from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.prompt.anatomy import dissect
from pytest_coderobust.config.rewriters import parse_rewriter
from pytest_coderobust.engine.rewrites import RewriteSource
from pytest_coderobust.rewriters.registry import open_rewriter
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.training.building import SetBuilder
from pytest_coderobust.training.example import Passage, TrainingExample
from pytest_coderobust.training.overlap import find_overlap
from pytest_coderobust.training.perturbing import ExamplePerturber, find_code
from pytest_coderobust.training.sets import list_sets
from pytest_coderobust.training.source import TrainingData, read_data
from tests.support.training_rows import alpaca_rows, message_rows, read_lines, write_rows

Rows = Mapping[str, list[dict[str, object]]]
needs_data = pytest.mark.skipif(
    not os.environ.get("CODEROBUST_DATA"), reason="CODEROBUST_DATA names no benchmark data"
)
needs_apertium = pytest.mark.skipif(shutil.which("apertium") is None, reason="needs apertium")


def build(data: TrainingData, folder: Path, *, rewrite: bool = False, sets: str = "all") -> Rows:
    spec = parse_rewriter("apertium")
    assert spec is not None
    sources = {"S1": RewriteSource(open_rewriter(spec, folder, "test"))} if rewrite else {}
    builder = SetBuilder(data, ExamplePerturber(sources), 42, {"S1": spec} if rewrite else {})
    built = builder.build(list_sets(sets.split(",")), folder)
    return {name: read_lines(folder / f"{name}.jsonl") for name in built}


def read_alpaca(folder: Path, count: int) -> TrainingData:
    return read_data(str(write_rows(folder / "alpaca.jsonl", alpaca_rows(count))))


def check_row(example: TrainingExample, row: Mapping[str, object]) -> None:
    """One row against its source, by the auditor of prompts and the anatomy's protected spans."""
    assert row["completion"] == example.answer
    clean, prompt = "".join(example.texts), str(row["prompt"])
    edits = [Edit(**edit) for edit in row["edits"]]  # type: ignore[attr-defined]
    assert apply_edits(clean, edits) == prompt
    changed = row["perturbation"] != "clean"
    assert changed == (clean != prompt) == bool(edits)
    assert not (changed and row["skipped"])
    prose = example.passages[0].text
    assert prompt.endswith("".join(example.texts[1:]))
    anatomy = dissect(prose, example.entry_point, find_code(example.answer))
    for edit in edits:
        if edit.kind != "paraphrase":  # a rewriter sees whole paragraphs; its result is audited
            code = [(part.start, part.stop) for part in anatomy.segments if part.kind != "prose"]
            assert not any(a < edit.stop and edit.start < b for a, b in (*anatomy.protected, *code))
    assert not is_damaged(audit(prose, prompt.removesuffix("".join(example.texts[1:]))))


def check_sets(data: TrainingData, sets: Rows, folder: Path) -> None:
    examples = {example.id: example for example in data.examples}
    for rows in sets.values():
        for row in rows:
            check_row(examples[str(row["id"]).partition("#")[0]], row)
    written = json.loads((folder / "manifest.json").read_text())["sets"]
    assert list(written) == list(sets)
    for name, rows in sets.items():
        told = written[name]
        assert told["rows"] == len(rows) == len({row["id"] for row in rows})
        assert told["perturbed"] == sum(row["perturbation"] != "clean" for row in rows)
        assert told["skipped"] == Counter(row["skipped"] for row in rows if row["skipped"])
        assert told["sha256"] == hashlib.sha256((folder / f"{name}.jsonl").read_bytes()).hexdigest()
        assert name == "clean" or told["perturbed"] + sum(told["skipped"].values()) == (
            len(rows) * int(name.split("-")[1]) // 100 if name.count("-") == 2
            else told["perturbed"] + sum(told["skipped"].values()) if "-x" in name
            else len(rows)
        )  # fmt: skip
        assert not any(reason.startswith("damaged") for reason in told["skipped"]) or "S1" in sets
    for repeat in (1, 2, 3):
        nested = [sets[f"mix_all-{ratio}-{repeat}"] for ratio in (10, 30, 50, 70, 90)]
        for low, high in zip(nested, [*nested[1:], sets["mix_all"]], strict=True):
            perturbed = [
                (a, b) for a, b in zip(low, high, strict=True) if a["perturbation"] != "clean"
            ]
            assert perturbed
            assert all(a == b for a, b in perturbed)


def test_every_set_of_tasks_and_of_instructions(tmp_path: Path) -> None:
    for data in (read_data("tiny:corpus", rows=40), read_alpaca(tmp_path, 40)):
        sets = build(data, tmp_path / data.format.name)
        assert len(sets) == 32  # S1 needs a rewriter
        check_sets(data, sets, tmp_path / data.format.name)


@needs_apertium
def test_every_set_with_translation_back(tmp_path: Path) -> None:
    data = read_alpaca(tmp_path, 20)
    sets = build(data, tmp_path / "out", rewrite=True)
    assert len(sets) == 33
    assert any(row["edits"] for row in sets["S1"])
    check_sets(data, sets, tmp_path / "out")


@needs_apertium
@pytest.mark.slow
def test_every_set_of_2000_rows_as_tasks_and_as_instructions(tmp_path: Path) -> None:
    for data in (read_data("tiny:corpus", rows=2_000), read_alpaca(tmp_path, 2_000)):
        sets = build(data, tmp_path / data.format.name, rewrite=True)
        assert len(sets) == 33
        check_sets(data, sets, tmp_path / data.format.name)


def test_an_edit_of_a_message_says_which_message(tmp_path: Path) -> None:
    data = read_data(str(write_rows(tmp_path / "m.jsonl", message_rows(8))))
    rows = build(data, tmp_path / "out", sets="clean,W2")
    assert any(edit["message"] == 3 for row in rows["W2"] for edit in row["edits"])  # type: ignore[attr-defined]
    for row, clean in zip(rows["W2"], rows["clean"], strict=True):
        texts = [message["content"] for message in clean["prompt"]]  # type: ignore[attr-defined]
        for place, message in enumerate(row["prompt"]):  # type: ignore[arg-type]
            edits = [
                Edit(**{key: value for key, value in edit.items() if key != "message"})
                for edit in row["edits"]  # type: ignore[attr-defined]
                if edit["message"] == place
            ]
            assert message["content"] == apply_edits(texts[place], edits)
            assert message["role"] == "user" or not edits
        assert row["completion"] == clean["completion"]


def test_rows_of_a_mix_draw_one_of_its_members(tmp_path: Path) -> None:
    data = read_alpaca(tmp_path, 40)
    perturber = ExamplePerturber()
    rows = build(data, tmp_path, sets="C1+W2")["C1+W2"]
    drawn = Counter(str(row["member"]) for row in rows if not row["skipped"])
    assert drawn.keys() == {"C1", "W2"}
    assert min(drawn.values()) >= 10
    for example, row in zip(data.examples, rows, strict=True):
        check_row(example, row)
        if row["member"]:
            alone = perturber.perturb(example, str(row["member"]), 42)
            assert example.write_prompt(alone.texts) == row["prompt"]
    assert not perturber.can_make("C1+S1")
    assert ExamplePerturber().find_source("C1+W2") is None


def test_what_was_written_can_be_read_to_train_on(tmp_path: Path) -> None:
    data = read_alpaca(tmp_path, 6)
    build(data, tmp_path / "out", sets="C1,clean")
    again = read_data(str(tmp_path / "out" / "clean.jsonl"), clean=True)
    assert [(e.id, "".join(e.texts), e.answer) for e in again.examples] == [
        (e.id, "".join(e.texts), e.answer) for e in data.examples
    ]
    with pytest.raises(Exception, match=r"C1.jsonl, line 1: the row is perturbed already"):
        read_data(str(tmp_path / "out" / "C1.jsonl"), clean=True)
    assert len(read_data(str(tmp_path / "out" / "C1.jsonl")).examples) == 6


@needs_data
def test_a_row_with_the_prompt_or_the_solution_of_a_task_is_found() -> None:
    tasks = load_tasks("humaneval", base=Path.cwd()).tasks
    first, long = tasks[0], next(task for task in tasks if len(task.canonical or "") > 200)
    copied = "Please do this: " + first.prompt.replace(" ", "  ").upper()
    rows = [
        TrainingExample(
            "free", (Passage("Return the sum of all the numbers in a list."),), "return sum(x)"
        ),
        TrainingExample("prompt", (Passage(copied),), "pass"),
        TrainingExample("answer", (Passage("Do it."),), f"```\n{long.prompt}{long.canonical}```"),
        TrainingExample(
            "solution", (Passage("Do it."),), (long.canonical or "").replace("    ", "\t")
        ),
    ]
    found = [(each.example, each.task, each.by) for each in find_overlap(rows, tasks)]
    assert found == [
        ("prompt", first.id, "prompt"),
        ("answer", long.id, "prompt"),
        ("solution", long.id, "solution"),
    ]


@needs_data
def test_the_suite_itself_is_found_whole_and_the_generator_nearly_nowhere() -> None:
    tasks = load_tasks("humaneval", base=Path.cwd()).tasks
    own = [TrainingExample(t.id, (Passage(t.prompt),), t.canonical or "") for t in tasks]
    assert len(find_overlap(own, tasks)) >= 160  # the others have fewer than six words
    quickstart = load_tasks("quickstart", base=Path.cwd()).tasks
    corpus = read_data("tiny:corpus", rows=1_000).examples
    assert find_overlap(corpus, tasks) == ()
    assert {each.by for each in find_overlap(corpus, quickstart)} <= {"solution"}
