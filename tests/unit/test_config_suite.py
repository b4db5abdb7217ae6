from __future__ import annotations

from pathlib import Path

import pytest

from pytest_coderobust.config.suite import read_suite, read_suite_kind, with_perturbations
from pytest_coderobust.errors import ConfigError
from pytest_coderobust.records import Cell


def suite(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_smallest_suite_has_defaults(tmp_path: Path) -> None:
    config = read_suite(suite(tmp_path, '[suite]\ntasks = "humaneval"\n'))
    assert config.name == "mine"
    assert config.cells == (Cell(),)
    assert config.ks == (1,)
    assert config.sampling.greedy
    assert config.base == tmp_path


def test_whole_suite_is_read(tmp_path: Path) -> None:
    config = read_suite(
        suite(
            tmp_path,
            """
            [suite]
            tasks = "tasks.jsonl"
            perturbations = ["C1", "C2"]
            seeds = 2
            k = [5, 1]
            gates = ["rd[C1] <= 0.15", { gate = "pass@1 >= 0.3", inconclusive = "pass" }]
            solved_at = 0.8
            train = ["C1", "W2"]
            [sampling]
            n = 10
            temperature = 0.8
            top_p = 0.95
            max_new_tokens = 300
            stop = ["\\ndef"]
            [sandbox]
            cpu_seconds = 7
            """,
        )
    )
    assert config.cells == (Cell(), Cell("C1", 0), Cell("C1", 1), Cell("C2", 0), Cell("C2", 1))
    assert config.ks == (1, 5)
    assert config.sampling.n == 10
    assert config.sampling.stop == ("\ndef",)
    assert config.limits.cpu_seconds == 7
    assert config.train == ("C1", "W2")
    assert config.limits.call_seconds == pytest.approx(7 / 5)
    assert config.limits.wall_seconds >= 4 * 7
    assert config.gates[1] == {"gate": "pass@1 >= 0.3", "inconclusive": "pass"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[suite]\n", "[suite] tasks: missing"),
        ('[suite]\ntasks = 3\n', "[suite] tasks = 3: must be a string"),
        ('[suite]\ntasks = "x"\nperturbation = ["C1"]', "unknown key 'perturbation'; did you mean 'perturbations'?"),
        ('[suite]\ntasks = "x"\nperturbations = ["C9"]', "'C9'"),
        ('[suite]\ntasks = "x"\nperturbations = ["C1", "C1"]', "C1 is listed twice"),
        ('[suite]\ntasks = "x"\nperturbations = ["C1"]\ntrain = ["C9"]', "[suite] train: unknown perturbation 'C9'"),
        ('[suite]\ntasks = "x"\nperturbations = ["C1"]\ntrain = ["C"]', "train = ['C']: no perturbation of the suite is left unseen"),
        ('[suite]\ntasks = "x"\nk = [2]', "2 lies outside 1 to 1"),
        ('[suite]\ntasks = "x"\nk = [0]', "0 lies outside 1 to 1"),
        ('[suite]\ntasks = "x"\nk = []', "at least one k"),
        ('[suite]\ntasks = "x"\nseeds = 0', "must be at least 1"),
        ('[suite]\ntasks = "x"\nseeds = [-1]', "seeds"),
        ('[suite]\ntasks = "x"\nseeds = true', "seeds = True"),
        ('[suite]\ntasks = "x"\nprompt_form = "docstrng"', "did you mean 'docstring'?"),
        ('[suite]\ntasks = "x"\nsolved_at = 1.5', "between 0 and 1"),
        ('[suite]\ntasks = "x"\ngates = [3]', "3 must be a string"),
        ('[suite]\ntasks = "x"\n[sampling]\nn = 5', "greedy decoding"),
        ('[suite]\ntasks = "x"\n[sampling]\ntemprature = 1', "did you mean 'temperature'?"),
        ('[suite]\ntasks = "x"\n[samplin]\nn = 5', "unknown section 'samplin'; did you mean 'sampling'?"),
        ('[suite]\ntasks = "x"\n[sandbox]\nmemory_mb = 1', "must be at least 64"),
        ('[suite]\ntasks = "x\n', "line 2"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_file_and_value(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = suite(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_suite(path)
    message = str(caught.value)
    assert sentence in message
    assert str(path) in message
    assert "\n" not in message


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_suite(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("text", "kind"),
    [('[suite]\ntasks="x"', "suite"), ("[tool.black]\n", "other"), ("suite = 3", "other"),
     ("[suite", "broken"), ("\udcff", "broken")],
)  # fmt: skip
def test_kind_of_a_toml_file(tmp_path: Path, text: str, kind: str) -> None:
    path = tmp_path / "some.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_suite_kind(path) == kind


def test_perturb_option_replaces_the_suites_own(tmp_path: Path) -> None:
    config = read_suite(suite(tmp_path, '[suite]\ntasks = "x"\nperturbations = ["C1"]'))
    changed = with_perturbations(config, ["C3", "clean", "C3"], "--perturb: ")
    assert changed.cells == (Cell(), Cell("C3", 0))
    with pytest.raises(ConfigError, match=r"--perturb: .*'C33'"):
        with_perturbations(config, ["C33"], "--perturb: ")
