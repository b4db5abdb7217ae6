"""The training text is deterministic, clean and solvable, and has no task of the suite."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from functools import cache
from typing import cast

import pytest

from pytest_coderobust.records import digest
from pytest_coderobust.tiny.composition import held_out_keys
from pytest_coderobust.tiny.corpus import training_samples
from pytest_coderobust.tiny.families import FAMILIES
from pytest_coderobust.tiny.family import Core
from pytest_coderobust.tiny.lexicon import FRAMES, UNSEEN_FRAMES
from pytest_coderobust.tiny.phrasing import mask, templates
from pytest_coderobust.tiny.recipe import TrainingRecipe
from pytest_coderobust.tiny.sample import TrainingSample, load
from pytest_coderobust.tiny.suite import quickstart, rows

SAMPLED = 4_000

# Words that lemminflect's English dictionary lacks: function words, and terms of programming.
FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "at",
        "but",
        "every",
        "for",
        "from",
        "if",
        "into",
        "nor",
        "of",
        "than",
        "the",
        "until",
        "with",
        "th",
    ]
)
TERMS = frozenset({"json", "modulo", "tuple", "occurrences"})


@cache
def sampled() -> tuple[TrainingSample, ...]:
    return tuple(training_samples(0, SAMPLED))


def clashes(samples: list[TrainingSample]) -> list[TrainingSample]:
    prompts = {sample.prompt for sample in quickstart()}
    asked = {(sample.composition.key, sample.sentence.wording) for sample in quickstart()}
    return [
        sample
        for sample in samples
        if sample.prompt in prompts
        or (sample.composition.key, sample.sentence.wording) in asked
        or sample.composition.key in held_out_keys(sample.composition.family.name)
    ]


def prose(sample: TrainingSample) -> str:
    """Joins sentence and remark, without quoted literals."""
    return re.sub(r"'[^']*'", " ", f"{sample.sentence.text} {sample.remark}")


def identifiers(sample: TrainingSample) -> set[str]:
    head = sample.prompt.partition("\n")[0]
    return set(re.findall(r"\w+", head)) - {"def"}


def test_at_least_sixty_families_of_which_twelve_call_a_module() -> None:
    names = [family.name for family in FAMILIES]
    library = [f for f in FAMILIES if any(c.apis for c in f.compositions())]
    assert len(set(names)) == len(names) >= 60
    assert len(library) >= 12
    apis = {api for family in library for c in family.compositions() for api in c.apis}
    assert {
        "math.sqrt", "os.path.join", "functools.reduce", "itertools.accumulate",
        "collections.Counter", "statistics.mean", "re.sub", "bisect.bisect_left",
    } <= apis  # fmt: skip


def test_every_family_has_words_that_only_the_suite_uses() -> None:
    for family in FAMILIES:
        assert {core.unseen for core in family.cores} == {True, False}, family.name


def test_same_seed_same_text_in_every_process() -> None:
    code = (
        "from pytest_coderobust.tiny.corpus import training_samples as t\n"
        "from pytest_coderobust.records import digest\n"
        "print(digest([s.prompt + s.answer for s in t(3, 300)]))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {digest([s.prompt + s.answer for s in training_samples(3, 300)])}


def test_another_seed_gives_another_text() -> None:
    first = [s.prompt for s in training_samples(0, 50)]
    assert first != [s.prompt for s in training_samples(1, 50)]


def test_a_shorter_corpus_begins_a_longer_one() -> None:
    assert list(training_samples(0, 40)) == list(training_samples(0, 80))[:40]


def test_answers_reproduce_the_examples_of_their_prompts() -> None:
    for sample in sampled()[::20]:
        function = load(sample.prompt + sample.answer, sample.entry_point)
        examples = doctest.DocTestParser().get_examples(sample.prompt.rpartition('"""')[0])
        assert examples, sample.prompt
        for example in examples:
            value = eval(example.source, {sample.entry_point: function})
            assert repr(value) + "\n" == example.want, sample.prompt


def test_no_suite_prompt_occurs_in_training() -> None:
    assert clashes(list(sampled())) == []


@pytest.mark.slow
def test_no_suite_prompt_occurs_in_the_whole_of_training() -> None:
    assert clashes(list(training_samples(0, sum(TrainingRecipe().samples)))) == []


def test_a_clash_would_be_seen() -> None:
    assert len(clashes([*sampled()[:5], *quickstart()])) == len(quickstart())


def test_unseen_sentences_occur_nowhere_in_training() -> None:
    training = {sample.sentence.mask for sample in sampled()}
    possible = {
        template
        for family in FAMILIES
        for template in templates([c for c in family.cores if not c.unseen], unseen=False)
    }
    assert training <= possible
    unseen = {s.sentence.mask for s in quickstart()} - possible
    assert not unseen & training
    for family in FAMILIES:
        cores = [core for core in family.cores if core.unseen]
        assert not (templates(cores, True) | templates(cores, False)) & possible, family.name


def test_no_training_sentence_reads_like_an_unseen_template() -> None:
    """Reads the text alone: the blank of a template may be any words."""
    sentences = [sample.sentence.text for sample in sampled()]
    tagged = [
        sample
        for sample, row in zip(quickstart(), rows(), strict=True)
        if "phrasing:unseen" in cast("list[str]", row["tags"])
    ]
    assert tagged
    for sample in tagged:
        pattern = re.compile(re.escape(sample.sentence.mask).replace("_", ".*"), re.IGNORECASE)
        assert pattern.fullmatch(sample.sentence.text)
        assert [text for text in sentences if pattern.fullmatch(text)] == []


def test_masks_hide_what_slots_say() -> None:
    assert mask("{return} the {op} of {a}.") == "_ the _ of _."
    assert templates([Core("claim", "{A} is {op}")], unseen=True) == {
        mask(frame.replace("{core}", "_ is _")) for frame in UNSEEN_FRAMES["claim"]
    }
    assert not set(FRAMES["result"]) & set(UNSEEN_FRAMES["result"])


def test_training_prose_has_no_case_noise() -> None:
    allowed = {"True", "False", "None", "JSON", "Python"}
    for sample in sampled():
        for sentence in filter(None, (sample.sentence.text, sample.remark)):
            words = re.sub(r"'[^']*'", " ", sentence).split()
            for word in words[1:]:
                bare = word.strip(".,;:")
                assert bare in allowed or bare == bare.lower(), sentence
        assert sample.sentence.text[0].isupper()


def test_training_prose_has_no_misspelling() -> None:
    from lemminflect import getAllLemmas

    words: set[str] = set()
    for sample in sampled():
        words |= set(re.findall(r"[a-z]+", prose(sample).lower())) - identifiers(sample)
    unknown = words - FUNCTION_WORDS - TERMS
    assert [word for word in sorted(unknown) if not getAllLemmas(word)] == []
    assert len(words) > 400


def test_names_tell_nothing_about_the_task() -> None:
    """Checks that every function name occurs in at least two thirds of the families."""
    families: dict[str, set[str]] = {}
    for sample in sampled():
        families.setdefault(sample.entry_point, set()).add(sample.composition.family.name)
    assert min(map(len, families.values())) > len(FAMILIES) * 2 / 3
