"""Our variants damage nothing on either benchmark; the auditor finds what released sets damaged."""

from __future__ import annotations

import random
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pygments.lexers.c_cpp import CppLexer
from pygments.lexers.jvm import JavaLexer
from pygments.token import Comment, Keyword, Name
from support.braced_source import LANGUAGES
from support.strategies_data import Item, humaneval, mbpp, rows, show

from coderobust_strategies import names, perturb
from coderobust_strategies.audit import audit, is_damaged
from coderobust_strategies.prompt.anatomy import dissect
from coderobust_strategies.prompt.braced import BracedLanguage

SAMPLE_SEED = 20
DESCRIBING = (Comment.Single, Comment.Multiline)
NINE = (
    "ButterFingersPerturbation", "SwapCharactersPerturbation", "ChangeCharCase",
    "SynonymInsertion", "SynonymSubstitution", "EnglishInflectionalVariation",
    "BackTranslation", "TenseTransformationPast", "TenseTransformationFuture",
)  # fmt: skip


@cache
def benchmarks(data: Path) -> list[Item]:
    return [*humaneval(data), *mbpp(data)]


def test_joined_segments_equal_every_prompt_of_both_benchmarks(data: Path) -> None:
    for item in benchmarks(data):
        anatomy = dissect(item.prompt, item.entry_point, item.code)
        assert "".join(anatomy.text(part) for part in anatomy.segments) == item.prompt
        assert not item.prompt.count(">>>") or any(s.kind == "example" for s in anatomy.segments)


def test_every_humaneval_prompt_has_eligible_words(data: Path) -> None:
    eligible = sorted(
        len(dissect(item.prompt, item.entry_point, item.code).words) for item in humaneval(data)
    )
    show(
        "eligible words per HumanEval prompt: min, median, max",
        eligible[0],
        eligible[82],
        eligible[-1],
    )

    assert eligible[0] >= 1
    assert 20 <= eligible[82] <= 35


def check_undamaged(items: list[Item], seeds: range, name: str) -> None:
    unchanged = total = 0
    for item in items:
        for seed in seeds:
            made = perturb(
                item.prompt, name, seed,
                task_id=item.id, entry_point=item.entry_point, code=item.code,
            )  # fmt: skip
            total += 1
            unchanged += bool(made.skipped)
            assert bool(made.skipped) == (made.prompt == item.prompt)
            assert not audit(item.prompt, made.prompt), (name, item.id, seed, made.edits)
    show(f"{name}: {unchanged} of {total} prompts had no eligible site")
    assert unchanged <= total * 0.35


@pytest.mark.parametrize("name", names())
def test_a_sample_of_our_variants_is_undamaged(data: Path, name: str) -> None:
    everything = benchmarks(data)
    sample = random.Random(SAMPLE_SEED).sample(everything, 80)
    show(f"sample: 80 of {len(everything)} prompts, sample seed {SAMPLE_SEED}, seeds 0-1")
    check_undamaged(sample, range(2), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_all_our_variants_of_ten_seeds_are_undamaged(data: Path, name: str) -> None:
    check_undamaged(benchmarks(data), range(10), name)


def clean_prompts(data: Path) -> dict[str, str]:
    return {item.id: item.prompt for item in humaneval(data)}


def test_damage_in_recodes_rows_matches_an_independent_auditor(data: Path) -> None:
    clean = clean_prompts(data)
    counts: Counter[str] = Counter()
    for path in sorted((data / "recode" / "humaneval").glob("*.jsonl.gz")):
        name = path.name.split("_")[1]
        for row in rows(path) if name in NINE else ():
            kinds = {damage.kind for damage in audit(clean[row["task_id"]], row["prompt"])}
            counts["rows"] += 1
            counts["damaged"] += bool(kinds - {"structure"})
            counts["hard"] += bool(kinds & {"parse", "code"})
            counts[f"hard {name}"] += bool(kinds & {"parse", "code"})
    show(dict(counts))

    assert counts["rows"] == 3444
    assert counts["hard"] == 556
    assert (counts["hard SynonymInsertion"], counts["hard SynonymSubstitution"]) == (264, 264)
    assert counts["hard BackTranslation"] == 28
    others, independent = counts["damaged"] - 556, 1331 - 556
    assert abs(others - independent) <= 0.1 * independent


def test_damage_in_nlperturbators_rows_matches_or_is_a_call_of_a_formula(data: Path) -> None:
    """Compares with an independent auditor's 57 rows; ours also reads the calls in recurrences."""
    clean = clean_prompts(data)
    total = found = formulas = 0
    for path in sorted((data / "nlperturbator" / "humaneval_r").glob("*.csv.gz")):
        for row in rows(path):
            damages = audit(clean[row["task_id"]], row["prompt"])
            total += 1
            if is_damaged(damages):
                found += 1
                only_calls = {d.kind for d in damages} <= {"examples", "structure"}
                formulas += only_calls
                show(path.name, row["task_id"], [d.detail for d in damages])

    assert total == 3280
    assert found - formulas <= 57 <= found <= 70


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sample_of_our_variants_of_other_languages_is_undamaged(
    data: Path, language: BracedLanguage
) -> None:
    for place, name in enumerate(names()):
        check_comments(braced(data, language)[place % 41 :: 41], range(1), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("language", LANGUAGES)
def test_all_our_variants_of_other_languages_are_undamaged(
    data: Path, language: BracedLanguage, name: str
) -> None:
    check_comments(braced(data, language), range(3), name)


@cache
def braced(data: Path, language: BracedLanguage) -> list[Item]:
    return [
        Item(row["task_id"], row["prompt"], "", row["canonical_solution"])
        for row in rows(data / "humaneval_x" / f"humaneval_{language}.jsonl.gz")
    ]


def check_comments(items: list[Item], seeds: range, name: str) -> None:
    """Checks variants by the auditor, and by what pygments says is a comment and a name."""
    skipped = total = 0
    for item in items:
        language: BracedLanguage = "java" if item.id.startswith("Java") else "cpp"
        code = list_code(item.prompt, language)
        known = list_names(item.prompt, language)
        for seed in seeds:
            made = perturb(item.prompt, name, seed, task_id=item.id, code=item.code)
            total += 1
            skipped += bool(made.skipped)
            assert bool(made.skipped) == (made.prompt == item.prompt)
            assert not audit(item.prompt, made.prompt), (name, item.id, seed, made.edits)
            assert list_code(made.prompt, language) == code, (name, item.id, seed)
            was, now = (count_words(text, known) for text in (item.prompt, made.prompt))
            assert not was - now, (name, item.id, seed, was - now)
    show(f"{name}: {skipped} of {total} prompts had no eligible site")
    assert skipped <= total * 0.5


def lex(prompt: str, language: BracedLanguage) -> list[tuple[Any, str]]:
    lexer = (CppLexer if language == "cpp" else JavaLexer)(stripnl=False, ensurenl=False)
    return [(kind, text) for kind, text in lexer.get_tokens(prompt) if text.strip()]


def list_code(prompt: str, language: BracedLanguage) -> list[str]:
    """Lists the tokens of a prompt but for its last comment, which is the description."""
    tokens = lex(prompt, language)
    comments = [at for at, (kind, _) in enumerate(tokens) if kind in DESCRIBING]
    return [text for at, (_, text) in enumerate(tokens) if at != comments[-1]]


def list_names(prompt: str, language: BracedLanguage) -> set[str]:
    return {text for kind, text in lex(prompt, language) if kind in Name or kind is Keyword.Type}


def count_words(text: str, known: set[str]) -> Counter[str]:
    return Counter(word for word in re.findall(r"\w+", text) if word in known)
