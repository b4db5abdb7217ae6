"""`coderobust history`: runs of one ledger or several, in order, as table, page and document."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import scipy.stats  # noqa: F401  (the first comparison would import it)
from support.history_runs import LEVELS, add_release, draw_table

from pytest_coderobust.cli import main
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.results.conclusion import SuiteReport, conclude


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, SuiteReport]]:
    """Two ledgers: the first has releases 1 and 2, the second 3, and 1 again."""
    folder = tmp_path_factory.mktemp("releases")
    made = {number: add_release(folder / "old", number, "pass@1 >= 0.7") for number in (1, 2)}
    made[3] = add_release(folder / "new", 3, "rd[C3] <= 0.9", scale=0.5)
    add_release(folder / "new", 1, "pass@1 >= 0.7")
    return folder, made


def run(folder: Path, *arguments: str) -> dict[str, object]:
    """Runs the command, and reads its document."""
    path = folder / "out" / "history.json"
    assert main(["history", *arguments, "--json", str(path)]) == 0
    (suite,) = json.loads(path.read_text())["suites"]
    found: dict[str, object] = suite
    return found


def names(suite: dict[str, object]) -> list[str]:
    releases = suite["releases"]
    assert isinstance(releases, list)
    return [f"{each['label']}/{each['model']}" for each in releases]


def test_releases_come_in_order_with_their_own_numbers(
    releases: tuple[Path, dict[int, SuiteReport]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, made = releases
    old, new = folder / "old" / "ledger.sqlite", folder / "new" / "ledger.sqlite"
    suite = run(folder, f"before={old}", str(new))
    # Release 1 is in both ledgers, and counts where it is first.
    assert names(suite) == [
        "before/codellama-7b-rc1", "before/codellama-7b-rc2", "/codellama-7b-rc3",
    ]  # fmt: skip
    found = suite["releases"]
    assert isinstance(found, list)
    for number, each in enumerate(found, 1):
        for condition in made[number].summary.conditions:
            if condition.name not in each["metrics"]:
                continue
            rates = each["metrics"][condition.name]
            scores = condition.scores[1]
            assert scores.pass_at_k is not None
            assert rates["pass@1"] == scores.pass_at_k.value
            if condition.kind != "clean":
                assert rates["rd"] == (scores.rd.value if scores.rd else None)
        assert set(each["metrics"]) >= {"clean", "all", *LEVELS}
    assert found[0]["change"] is None
    lines = capsys.readouterr().out.splitlines()
    shown = [line for line in lines if re.match(r"\d  (before: )?codellama", line)]
    for number, line in enumerate(shown, 1):
        rate = made[number].summary.conditions[0].scores[1].pass_at_k
        assert rate is not None
        assert f"{rate.value:.3f} ({rate.low:.2f}" in line
        assert ("fails" if made[number].gates[0].outcome == "fails" else "holds") in line
    assert len(shown) == 3


def test_each_release_is_compared_with_the_one_before(
    releases: tuple[Path, dict[int, SuiteReport]], tmp_path: Path
) -> None:
    folder, _ = releases
    old, new = str(folder / "old" / "ledger.sqlite"), str(folder / "new" / "ledger.sqlite")
    suite = run(folder, old, new, "--margin", "0.1")
    found = suite["releases"]
    assert isinstance(found, list)
    # The same comparison by the other door, with its own code from ledger to verdict.
    path = tmp_path / "compared.json"
    wanted = ["--run", "0303", "--against", old, "--against-run", "0202", "--margin", "0.1"]
    assert main(["report", new, *wanted, "--json", str(path)]) == 0
    assert found[2]["change"] == json.loads(path.read_text())["comparison"]


def test_named_runs_come_in_the_order_of_their_names(
    releases: tuple[Path, dict[int, SuiteReport]],
) -> None:
    folder, _ = releases
    ledgers = [str(folder / name / "ledger.sqlite") for name in ("old", "new")]
    suite = run(folder, *ledgers, "--run", "0303", "--run", "0101", "--suite", "toy")
    assert names(suite) == ["/codellama-7b-rc3", "/codellama-7b-rc1"]


def test_what_does_not_compare_is_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_release(tmp_path, 1)
    part = add_release(tmp_path, 2)
    cut = replace(part.run, observations=part.run.observations[:-1])
    result = replace(part.result, run=cut, summary=summarise(cut))
    other = tmp_path / "other"
    add_release(other, 4)
    conclude(part.archive._ledger, "02" * 16, result, part.origin)
    fewer = {task: {**row} for task, row in draw_table(3).items()}
    for row in fewer.values():
        del row["C3-s2"]
    add_release(tmp_path, 3, table=fewer)
    ledgers = [str(tmp_path / "ledger.sqlite"), str(other / "ledger.sqlite")]
    suite = run(tmp_path, *ledgers)
    found = suite["releases"]
    assert isinstance(found, list)
    # Release 2 was measured whole once, and is read so; 3 has other cells; 4 compares with 2.
    assert [each["complete"] for each in found] == [True, True, True, True]
    assert [bool(each["differs"]) for each in found] == [False, False, True, False]
    assert [each["change"] is None for each in found] == [True, False, True, False]
    out = capsys.readouterr().out
    assert (
        "note  3* does not compare with the latest: the perturbations or their seeds changed" in out
    )


def test_a_model_that_solves_nothing_has_no_rd(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_release(tmp_path, 1, clean=0.0)
    page = tmp_path / "page.html"
    assert main(["history", str(tmp_path / "ledger.sqlite"), "--html", str(page)]) == 0
    assert "note  1 solves no clean prompt, so its RD says nothing" in capsys.readouterr().out
    assert "solves no clean prompt" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.sqlite"], "missing.sqlite is not a valid ledger"),
        (["v1=missing.sqlite"], "missing.sqlite is not a valid ledger"),
        (
            ["{}", "--suite", "toi"],
            "--suite 'toi' is in none of these ledgers; did you mean 'toy'?",
        ),
        (["{}", "--run", "zz"], "--run 'zz' fits no run"),
        (["{}", "--run", "0"], "--run '0' fits several runs"),
        (["{}", "--html", "{}/page.html"], "page.html cannot be written"),
    ],
)
def test_wrong_requests_are_one_sentence(
    releases: tuple[Path, dict[int, SuiteReport]],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    ledger = str(releases[0] / "old" / "ledger.sqlite")
    assert main(["history", *(each.format(ledger) for each in arguments)]) == 4
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_the_command_finds_the_projects_ledger(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("")
    (tmp_path / "below").mkdir()
    add_release(tmp_path / ".coderobust", 2, tasks=3)
    found = subprocess.run(
        [sys.executable, "-m", "pytest_coderobust.cli", "history", "--html", "page.html"],
        cwd=tmp_path / "below", capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.isascii()
    assert "codellama-7b-rc2" in found.stdout
    assert (tmp_path / "below" / "page.html").is_file()
