"""`coderobust edit-bench`: rows of CLMEEval from file to report, processes, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from support.editors_contract import QUICK
from support.knowledge_rows import CNLE, CSNE
from support.models_architectures import save_architecture

from pytest_coderobust.cli import main
from pytest_coderobust.edit_bench import measuring
from pytest_coderobust.edit_bench.processes import run_editors, run_process
from pytest_coderobust.editors import malmen
from pytest_coderobust.editors.registry import EDITORS
from pytest_coderobust.knowledge.choosing import choose_cases, digest_texts
from pytest_coderobust.knowledge.reading import read_case_set


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a random Llama in `./net` and three rows of each reference."""
    monkeypatch.chdir(tmp_path)
    save_architecture(tmp_path / "net", "llama", max_position_embeddings=512)
    (tmp_path / "csne.json").write_text(json.dumps(CSNE))
    (tmp_path / "cnle.json").write_text(json.dumps(CNLE))
    return tmp_path


def bench(*words: str) -> int:
    return main(["edit-bench", *words])


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_csne_rows_run_through_all_of_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edits = f"denoise,{QUICK['ft']}"
    words = ["csne.json", "--model=./net", f"--edit={edits}", "--alone", "--natural-length"]
    assert bench(*words, "--json=out.json") == 0
    shown = capsys.readouterr()
    assert "3 cases of csne.json on ./net, seed 0" in shown.out
    assert "effectiveness, where the model ends by itself" in shown.out
    assert "denoise was not measured" in shown.out
    found = read(folder / "out.json")
    assert (found["format"], found["cases"], found["left_out"]) == (1, 3, {})
    unable, ft = found["editors"]
    assert (unable["label"], unable["means"]) == ("denoise", [])
    assert [each["case"] for each in ft["scores"]] == ["0", "1", "2"]
    for each in ft["scores"]:
        assert each["specificity"]["count"] == 5
        assert each["natural_effectiveness"] is not None
        assert each["seconds"] > 0
    names = [(each["aspect"], each["score"]) for each in ft["means"]]
    assert ("specificity", "em_all") in names
    assert ("natural_generalisation", "rouge_l") in names
    # The same again measures nothing, so not even times differ; with a limit it shows a part.
    assert bench(*words, "--json=again.json") == 0
    assert read(folder / "again.json") == found
    assert bench(*words, "--limit=2", "--json=part.json") == 0
    part = read(folder / "part.json")["editors"][1]["scores"]
    assert len(part) == 2
    assert all(each in ft["scores"] for each in part)


def test_a_model_alone_is_measured_without_an_editor(folder: Path) -> None:
    assert bench("cnle.json", "--model=./net", "--json=out.json") == 0
    found = read(folder / "out.json")
    assert (found["editors"], found["cases"]) == ([], 1)
    assert found["control"]["means"]


REFUSED: Sequence[tuple[tuple[str, ...], str]] = (
    (("csne.json", "--edit=rom"), "unknown editor 'rom'; did you mean 'rome'?"),
    (("csne.json", "--edit=rome:layr=1"), "unknown option 'layr'; did you mean 'layer'?"),
    (("csne.json", "--edit=rome:layer=9"), "layer 9 is out of range"),
    (("csne.json", "--edit=ft", "--swap"), "--swap and --drop-overlap need --train FILE"),
    (("csne.json", "--edit=ft", "--limit=0"), "--limit '0' must be a whole number from 1"),
    (("csne.json", "--edit=ft", "--seed=x"), "--seed 'x' must be a whole number from 0"),
    (("csne.json", "--edit=ft", "--train=csne.json"), "3 of 3 cases share an input, a rewrite or a neighbour"),
    (("csne.json", "--edit=ft", "--train=csne.json", "--drop-overlap"), "; give another file\n"),
    (("csne.json", "--edit=ft", "--train=partly.json"), "1 of 2 cases share an input"),
    (("csne.json", "--edit=ft", "--train=partly.json"), "; give another file, or --drop-overlap\n"),
    (("csne.json", "--edit=ft", "--jobs=zero"), "--jobs 'zero' must be a whole number from 1"),
    (("csne.json", "--edit=ft", "--json=no/out.json"), "out.json: cannot be written: No such file or directory"),
    (("csne.json", "--edit=ft", "--json=net"), "net: cannot be written: is a folder"),
    (("csne.jsn", "--edit=ft"), "csne.jsn: no such file; write a file, cnle"),
    (("cnle", "--edit=ft"), "cnle: set CODEROBUST_CLMEEVAL to the folder"),
    (("csne.json", "--edit=ft", "--model=oracle"), "model 'oracle' has no weights to edit"),
    (("csne.json", "--edit=./net"), "the folder holds no saved edit"),
    (("bad.json", "--edit=ft"), "bad.json, item 1: no form of knowledge cases has these keys"),
)  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_is_told_in_one_sentence(
    folder: Path,
    words: tuple[str, ...],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CODEROBUST_CLMEEVAL", raising=False)
    (folder / "partly.json").write_text(json.dumps([CSNE[0], CNLE[0]]))
    (folder / "bad.json").write_text(json.dumps([{"promt": "a", "target": "b"}]))
    model = () if any("--model" in word for word in words) else ("--model=./net",)
    assert bench(*words, *model) in (1, 4)
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.strip().splitlines()) == 1


MALMEN = QUICK["malmen"]


def write_half(path: Path, name: str, more: Sequence[dict[str, Any]] = ()) -> None:
    """Ten cases whose ids are those of any other half too."""
    rows: list[dict[str, Any]] = [
        {
            "id": str(n),
            "prompt": f"def {name}{n}():",
            "target": f"return {n}",
            "rewrites": [f"def {name}{n}( ):"],
            "neighbours": [f"{name}{n} = 1"],
        }
        for n in range(10)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, *more]))


@pytest.mark.usefixtures("own_cache")
def test_each_half_is_asked_of_what_the_other_trained(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    train, make = malmen.stock_network, measuring.make_answer_task

    def watched_train(access: Any, cases: Any, options: Any) -> Any:
        events.append(f"train {cases.name} {len(cases.cases)}")
        return train(access, cases, options)

    def watched_make(name: str, prompt: str, target: str) -> Any:
        events.append(f"ask {prompt[4]}")
        return make(name, prompt, target)

    monkeypatch.setattr(malmen, "stock_network", watched_train)
    monkeypatch.setattr(measuring, "make_answer_task", watched_make)
    write_half(folder / "a.jsonl", "a")
    (asked, _) = choose_cases(read_case_set("a.jsonl").cases, 2, 0)
    shared = {"id": "x", "prompt": "def b():", "target": "t", "neighbours": [asked.prompt]}
    write_half(folder / "b.jsonl", "b", [shared])
    words = [
        "a.jsonl",
        "--model=./net",
        f"--edit={MALMEN}",
        "--train=b.jsonl",
        "--limit=2",
        "--alone",
    ]
    assert bench(*words, "--swap") == 4
    assert "1 of 11 cases share an input" in capsys.readouterr().err
    words += ["--swap", "--drop-overlap"]
    assert bench(*words, "--json=out.json") == 0
    shown = capsys.readouterr()
    assert events == ["train b.jsonl 10", "ask a", "ask a", "train a.jsonl 10", "ask b", "ask b"]
    assert "b.jsonl: 1 cases to train on left out" in shown.err
    assert "4 cases of a.jsonl and b.jsonl on ./net, seed 0, each trained on the other" in shown.out
    assert "was trained on b.jsonl: " in shown.out
    assert "was trained on a.jsonl: " in shown.out
    found = read(folder / "out.json")
    assert found["swapped"] is True
    (editor,) = found["editors"]
    assert [(each["set"], each["cases"]) for each in editor["trainings"]] == [
        ("b.jsonl", 8),
        ("a.jsonl", 8),
    ]
    assert all(each["trained"] > 0 for each in editor["trainings"])
    assert editor["training"] == editor["trainings"][0]
    names = [each["case"] for each in editor["scores"]]
    assert [name.partition(": ")[0] for name in names] == ["a.jsonl"] * 2 + ["b.jsonl"] * 2
    # Two more cases of each half: what was trained is read, and its record stays.
    words[words.index("--limit=2")] = "--limit=3"
    assert bench(*words, "--json=more.json") == 0
    assert read(folder / "more.json")["editors"][0]["trainings"] == editor["trainings"]


def write_trained(path: Path, about: dict[str, object]) -> str:
    """A file as trained editors keep them, with a header and nothing in it."""
    text = json.dumps({"kind": "hyper-networks", **about})
    save_file({"none": torch.zeros(1)}, path, metadata={"coderobust": text})
    return str(path)


@pytest.mark.parametrize("editor", ["malmen:network", "a-grace:encoder"])
def test_a_trained_file_that_learned_from_the_cases_is_refused(
    editor: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = read_case_set("csne.json").cases
    write_trained(folder / "own.safetensors", {"texts": digest_texts(cases[:1])})
    words = ("csne.json", "--model=./net", "--alone", "--json=out.json")
    edit = f"--edit={editor}=own.safetensors"
    assert bench(*words, edit) == 4
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    assert f"--edit {editor}=own.safetensors: what {editor[-7:]}=own.safetensors learned" in error
    assert "with 3 of the 3 cases that are asked, as 'Code: " in error
    # Its cases decide, so others beside them would only be named in the report.
    for others in ((edit, "--train=cnle.json"), (f"{edit},train=cnle.json",)):
        assert bench(*words, *others) == 4
        error = capsys.readouterr().err
        assert len(error.strip().splitlines()) == 1
        assert "train" in error
        assert "would have no use; leave out either" in error


def test_a_trained_file_that_does_not_tell_is_not_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_trained(folder / "old.safetensors", {})
    write_trained(folder / "other.safetensors", {"texts": ["0" * 16]})
    words = ("csne.json", "--model=./net", "--alone", "--limit=1", "--json=out.json")
    for name, told in (("old", True), ("other", False)):
        assert bench(*words, f"--edit=malmen:network={name}.safetensors") == 1
        error = capsys.readouterr().err
        assert ("not checked: the file does not tell what it learned from" in error) == told
        assert "was trained for model None" in error  # it was measured, as far as it goes


def test_a_process_that_fails_says_why() -> None:
    heard: list[str] = []
    assert run_process(["g-rir", "none.csv"], heard.append) == "none.csv: there is no such file"
    assert heard == []
    assert "invalid choice: 'nothing'" in run_process(["nothing"], heard.append)
    assert any("usage: coderobust" in line for line in heard)
    ends = run_editors(["g-rir"], ["ft"], 2, heard.append)
    assert list(ends) == ["ft"]


@pytest.mark.slow
def test_processes_find_what_this_process_finds(folder: Path) -> None:
    edits = ",".join(QUICK[name] for name in ("ft", "rome", "grace"))
    words = ["csne.json", "--model=./net", f"--edit={edits}"]
    assert bench(*words, "--jobs=2", "--ledger=apart.sqlite", "--json=apart.json") == 0
    assert bench(*words, "--alone", "--ledger=here.sqlite", "--json=here.json") == 0
    apart, here = (read(folder / f"{name}.json") for name in ("apart", "here"))
    for found in (apart, here):
        for editor in found["editors"]:
            for key in ("seconds", "peak_bytes"):
                editor.pop(key)
                for scores in editor["scores"]:
                    scores.pop(key)
    assert apart == here
    assert bench("csne.json", "--model=./net", "--edit=memit:tokens=1", "--json=out.json") == 1
    (memit,) = read(folder / "out.json")["editors"]
    assert "too few for a covariance" in memit["unable"]
    assert (memit["scores"], memit["refused"]) == ([], {})


CHEAPER = {
    "creme": "creme:layer=0",
    "rome": "rome:prefixes=1",
    "memit": "memit:prefixes=1",
    "pmet": "pmet:prefixes=1",
}
"""Editors that take long by default: CREME to find that no layer gives the target, the others to read
a prompt behind five prefixes in each step."""


@pytest.mark.slow
def test_hundred_cases_of_the_bundled_set_under_every_editor(tmp_path: Path) -> None:
    """The acceptance of the benchmark; five cases of it are tests/unit/test_edit_bench.py's."""
    edits = ",".join(CHEAPER.get(name, name) for name in EDITORS)
    words = ["edit-bench", "tiny:cases", "--model=tiny", f"--edit={edits}", "--train=tiny:train"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", *words, "--limit=100", "--jobs=2", "--json=out.json"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = read(tmp_path / "out.json")
    assert found["cases"] == 100
    for editor in found["editors"]:
        assert editor["unable"] or len(editor["scores"]) == 100
    numbers = {
        (editor["label"], each["aspect"], each["score"]): each["mean"]["value"]
        for editor in found["editors"]
        for each in editor["means"]
    }
    assert numbers["lora", "effectiveness", "em"] > 0.5
    assert numbers["ft", "specificity", "em_all"] == 1.0
