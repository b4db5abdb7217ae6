"""The perturbations that a suite may name, their options, and the rewriters there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_coderobust.config.rewriters import RewriterSpec, parse_rewriter
from pytest_coderobust.config.suite import SuiteConfig, read_suite, with_perturbations
from pytest_coderobust.errors import ConfigError


def suite(folder: Path, keys: str = "", sections: str = "") -> SuiteConfig:
    path = folder / "s.toml"
    path.write_text(f'[suite]\ntasks = "humaneval"\n{keys}\n{sections}\n')
    return read_suite(path)


def test_the_defaults_are_recodes_rates_on_every_sample_without_damage(tmp_path: Path) -> None:
    found = suite(tmp_path).perturbing
    assert (found.profile, found.edit_rate, found.sample_ratio) == ("recode", None, 1.0)
    assert (found.lexicon, found.damaged, found.keep_damaged) == ("bundled", "skip", False)
    assert not found.rewriters.specs


def test_every_key_is_read(tmp_path: Path) -> None:
    found = suite(
        tmp_path,
        'edit_rate = 0.2\nsample_ratio = 0.3\nlexicon = "wordnet"\ndamaged = "keep"\n'
        'perturbations = ["S1", "nlp:P1", "recode:TabIndent"]',
        '[rewriters]\nS1 = "transformers:a/b, ./c"\n"nlp:P1" = "rows:x/*.csv"\nallow_bin = true',
    ).perturbing
    assert (found.edit_rate, found.sample_ratio, found.lexicon) == (0.2, 0.3, "wordnet")
    assert found.keep_damaged
    assert found.rewriters.allow_bin
    assert found.rewriters.specs["S1"].arguments == ("a/b", "./c")
    assert found.rewriters.serving("mix_all") is found.rewriters.specs["S1"]
    assert found.rewriters.serving("C1") is None


def test_the_former_name_of_the_section_is_read_as_the_new_one(tmp_path: Path) -> None:
    keys, lines = 'perturbations = ["S1"]', 'S1 = "apertium"\nallow_bin = true'
    former = suite(tmp_path, keys, f"[engines]\n{lines}")
    assert former.perturbing.rewriters.specs["S1"].kind == "apertium"
    assert former == suite(tmp_path, keys, f"[rewriters]\n{lines}")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("apertium", ("apertium", ("spa",))),
        ("apertium:cat", ("apertium", ("cat",))),
        ("transformers:one", ("transformers", ("one",))),
        ("rows:a:b", ("rows", ("a:b",))),
        ("my.tools:ask", ("callable", ("my.tools", "ask"))),
    ],
)
def test_a_rewriter_is_understood(text: str, spec: tuple[str, tuple[str, ...]]) -> None:
    assert parse_rewriter(text) == RewriterSpec(spec[0], spec[1], text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", "apertum", "apertium:../x", "transformers:", "transformers:a,b,c", "rows:", "a:b:c"],
)
def test_what_is_not_a_rewriter_is_none(text: str) -> None:
    assert parse_rewriter(text) is None


@pytest.mark.parametrize(
    ("keys", "sections", "message"),
    [
        (
            'perturbations = ["recode:OperandSwap"]', "",
            "of code inside the prompt, so the suite needs prompt_form = \"partial\" (it is 'docstring')",
        ),
        (
            'prompt_form = "plain"\nperturbations = ["recode:TabIndent"]', "",
            "changes code, and the prompts of prompt_form = \"plain\" have none",
        ),
        ('perturbations = ["recode:TabIdent"]', "", "did you mean 'recode:TabIndent'?"),
        (
            'perturbations = ["S1"]', "",
            "'S1' (BackTranslation) needs a rewriter: write one under [rewriters], such as 'S1' = ",
        ),
        ('perturbations = ["nlp:P2"]', '[rewriters]\nS1 = "apertium"', "'nlp:P2'"),
        ("", '[rewriters]\nS1 = "apertum"', "[rewriters] S1 = 'apertum': is not a valid rewriter"),
        ("", '[rewriters]\nS2 = "apertium"', "[rewriters] unknown key 'S2'; did you mean 'S1'?"),
        ("", "[rewriters]\nS1 = 3", "must be a string"),
        ("", '[engines]\nS1 = "apertum"', "[engines] S1 = 'apertum': is not a valid rewriter"),
        (
            "", '[rewriters]\nS1 = "apertium"\n[engines]\nS1 = "apertium"',
            "s.toml: [engines]: the former name of [rewriters]; keep one of the two sections",
        ),
        ("", "[enginess]", "(valid: baseline, edit, migration, rewriters, sampling, sandbox, suite)"),
        ("sample_ratio = 1.5", "", "[suite] sample_ratio = 1.5: must lie between 0 and 1"),
        ("edit_rate = 0", "", "[suite] edit_rate = 0: must be more than 0"),
        ('lexicon = "wordnett"', "", "did you mean 'wordnet'?"),
        ('damaged = "kept"', "", "did you mean 'keep'?"),
        (
            'prompt_form = "partial"\nrecorded = "x.jsonl"', "",
            "[suite] recorded = 'x.jsonl': holds whole prompts",
        ),
    ],
)  # fmt: skip
def test_a_wrong_combination_is_one_sentence(
    tmp_path: Path, keys: str, sections: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        suite(tmp_path, keys, sections)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_line_is_held_to_the_suites_form_and_rewriters(tmp_path: Path) -> None:
    config = suite(tmp_path, "", '[rewriters]\nS1 = "apertium"')
    assert with_perturbations(config, ["S1", "clean"], "").perturbations == ("S1",)
    with pytest.raises(ConfigError, match=r"--perturb: .*partial"):
        with_perturbations(config, ["recode:VarRenamerRN"], "--perturb: ")
