"""The tables of a training grid: every number under its name, in each form of report."""

from __future__ import annotations

import json
from dataclasses import replace

from support.metrics_runs import Outcome, suite_run

from pytest_coderobust.metrics.training_grid import GridModel, GridNumbers, measure_grid
from pytest_coderobust.reporting.json import grid as json_grid
from pytest_coderobust.reporting.markdown import grid as markdown_grid
from pytest_coderobust.reporting.terminal.grid import render_grid


def model(
    trained: str,
    solved: tuple[int, int],
    level: str = "",
    train: tuple[str, ...] = (),
    *,
    seed: int | None = 42,
    steps: int = 3,
) -> GridModel:
    clean, own = solved
    rows: dict[str, dict[str, Outcome]] = {
        f"T/{n}": {"clean": int(n < clean), "C1-s0": int(n < own)} for n in range(20)
    }
    return GridModel("tiny", trained, seed, level, steps, replace(suite_run(rows), train=train))


def measure(control: str = "clean", steps: int = 3) -> GridNumbers:
    models = [
        model("", (16, 4), seed=None, steps=0),
        model("clean", (16, 4)),
        model("<C1|>", (12, 9), level="character", train=("W2",), steps=steps),
    ]
    return measure_grid(models, control, 0.05)


def test_the_terminal_shows_each_number_once() -> None:
    text = render_grid(measure(), 200, colour=False)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "model steps clean pass@1 perturbed unseen RD RD, held"
    (own,) = (line for line in lines if line.startswith("tiny, <C1|> 3 "))
    values = [word for word in own.split() if word.startswith("0.")]
    assert values == ["0.600", "0.450", "0.450", "0.250", "0.438"]  # (16 - 9) / 16 is the last
    assert any(line.startswith("tiny, untrained 0 0.800") and line.endswith("–") for line in lines)  # noqa: RUF001
    (change,) = (line for line in lines if line.startswith("tiny, <C1|>: pass@1 C1 "))
    assert change.split()[3:6] == ["C1", "0.200", "0.450"]
    assert change.split()[-4:] == ["0.062", "0.12", "not", "worse"]
    (test,) = (line for line in lines if line.startswith("training level character: pass@1"))
    assert test.endswith("0 1 1 1.000 +1.000")
    assert "note control: clean, the same base and seed" in lines
    assert any("not independent" in line for line in lines)
    assert any("unseen: perturbations of which no kind" in line for line in lines)
    assert not any("steps differ" in line for line in lines)


def test_a_stream_of_ascii_gets_no_other_letters() -> None:
    assert render_grid(measure(), 80, colour=False, encoding="ascii").isascii()


def test_what_is_not_comparable_is_said() -> None:
    assert "steps differ from the control's" in render_grid(measure(steps=6), 200, colour=False)
    text = render_grid(measure(control="none"), 200, colour=False)
    assert "not attributable to perturbation" in text
    assert "Wilcoxon" not in text
    assert json.loads(json_grid.render_grid(measure(control="none")))["attributable"] is False


def test_markdown_has_the_same_numbers_and_no_live_markup() -> None:
    text = markdown_grid.render_grid(measure())
    assert "<C1|>" not in text
    (own,) = (line for line in text.splitlines() if "C1" in line and " | 3 | " in line)
    assert [cell.split()[0] for cell in own.split(" | ")[2:]] == [
        "0.600",
        "0.450",
        "0.450",
        "0.250",
        "0.438",
    ]
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
    assert [len({line.count(" | ") for line in table}) for table in tables] == [1, 1, 1]


def test_the_document_has_every_field() -> None:
    document = json.loads(json_grid.render_grid(measure()))
    own = document["models"][2]
    assert own["rd_held"]["value"] == 0.4375
    assert own["changes"][0]["condition"] == "clean"
    assert own["holm"].keys() == {"clean", "C1"}
    assert document["levels"][0]["test"]["rank_biserial"] == 1.0
    assert document["format"] == "coderobust finetune-grid, 1"
