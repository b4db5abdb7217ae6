"""`lexicon="wordnet"` on WordNet itself, from Debian's files. Missing data are one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coderobust_strategies import PerturbationError, perturb
from coderobust_strategies.audit import audit
from coderobust_strategies.perturbation import LexiconMissing
from coderobust_strategies.variant import LEXICONS

DEBIAN = Path("/usr/share/wordnet")
NEEDED = ("index.sense", "data.noun", "index.noun")
LEXNAMES = (
    *("adj.all", "adj.pert", "adv.all", "noun.Tops", "noun.act", "noun.animal", "noun.artifact"),
    *("noun.attribute", "noun.body", "noun.cognition", "noun.communication", "noun.event"),
    *("noun.feeling", "noun.food", "noun.group", "noun.location", "noun.motive", "noun.object"),
    *("noun.person", "noun.phenomenon", "noun.plant", "noun.possession", "noun.process"),
    *("noun.quantity", "noun.relation", "noun.shape", "noun.state", "noun.substance", "noun.time"),
    *("verb.body", "verb.change", "verb.cognition", "verb.communication", "verb.competition"),
    *("verb.consumption", "verb.contact", "verb.creation", "verb.emotion", "verb.motion"),
    *("verb.perception", "verb.possession", "verb.social", "verb.stative", "verb.weather"),
    "adj.ppl",
)
"""WordNet's lexicographer files in the order of their numbers (lexnames(5WN)).

Debian's package leaves that list out. NLTK reads the number, the name and the part of speech."""

PARTS = {"noun": 1, "verb": 2, "adj": 3, "adv": 4}
PROMPT = (
    'def first_prime(numbers):\n    """Find the first prime number that is larger than 10,\n'
    '    and return "none" if the list holds no such number.\n    >>> first_prime([4])\n'
    '    \'none\'\n    """\n'
)


@pytest.fixture(scope="module")
def wordnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of NLTK data made of Debian's files: NLTK refuses links out of its folders."""
    if not all((DEBIAN / name).is_file() for name in NEEDED):
        pytest.skip("WordNet is not installed (apt install wordnet-base wordnet-sense-index)")
    folder = tmp_path_factory.mktemp("nltk") / "corpora" / "wordnet"
    shutil.copytree(DEBIAN, folder)
    lines = (f"{i:02}\t{name}\t{PARTS[name.partition('.')[0]]}" for i, name in enumerate(LEXNAMES))
    (folder / "lexnames").write_text("\n".join(lines) + "\n")
    return folder.parent.parent


CHECKS = """
from coderobust_strategies import perturb
from coderobust_strategies.audit import audit
from coderobust_strategies.perturbations.wordnet import related_forms, synset_lemmas, synset_names

assert synset_names("find", "v")[:3] == ("detect", "determine", "witness"), synset_names("find", "v")
assert "number" not in synset_names("number", "n")
assert {{"happen", "chance", "bump"}} <= set(synset_lemmas("find", "v"))
assert "finding" in related_forms("find", "v")
assert synset_names("xyzzy", "n") == ()
prompt = {prompt!r}
for name in ("W1", "W2", "nlp:E5", "nlp:E6"):
    ours = perturb(prompt, name, 1, lexicon="bundled")
    theirs = [perturb(prompt, name, seed, lexicon="wordnet") for seed in range(10)]
    for made in theirs:
        assert not made.skipped and made.prompt != prompt, (name, made)
        assert audit(prompt, made.prompt) == (), (name, made)
        assert "_" not in "".join(edit.replacement for edit in made.edits)
    assert len({{made.prompt for made in theirs}}) > 1
    assert any(made.prompt != ours.prompt for made in theirs)
    print(name, theirs[0].prompt.splitlines()[1].strip())
"""


def run(source: str, folder: Path | str) -> subprocess.CompletedProcess[str]:
    """Runs source in a new process, because NLTK reads the place of its data when imported."""
    environment = {**os.environ, "NLTK_DATA": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=False
    )


def test_words_come_from_wordnet_in_every_sense_and_damage_nothing(wordnet: Path) -> None:
    done = run(CHECKS.format(prompt=PROMPT), wordnet)
    assert done.returncode == 0, done.stderr
    print(done.stdout)  # noqa: T201


def test_a_missing_wordnet_is_one_sentence_that_names_the_download(tmp_path: Path) -> None:
    source = (
        "import nltk; nltk.data.path[:] = [%r]\n"
        "from coderobust_strategies import perturb\n"
        "from coderobust_strategies.perturbation import LexiconMissing\n"
        "try:\n    perturb('Return the sum.', 'W1', 0, lexicon='wordnet')\n"
        "except LexiconMissing as error:\n    print(error)\n"
    )
    done = run(source % str(tmp_path), tmp_path)
    assert done.stdout == (
        f'lexicon "wordnet" needs NLTK\'s WordNet, which is in none of {tmp_path}; '
        "get it with: python -m nltk.downloader wordnet\n"
    ), done.stderr


def test_other_perturbations_do_not_ask_for_wordnet() -> None:
    assert perturb(PROMPT, "C1", 0, lexicon="wordnet") == perturb(PROMPT, "C1", 0)
    assert not audit(PROMPT, perturb(PROMPT, "W3", 0, lexicon="wordnet").prompt)
    assert issubclass(LexiconMissing, PerturbationError)


def test_an_unknown_lexicon_is_refused() -> None:
    assert LEXICONS == ("bundled", "wordnet")
    with pytest.raises(PerturbationError, match="unknown lexicon 'thesaurus'"):
        perturb(PROMPT, "W1", 0, lexicon="thesaurus")  # type: ignore[arg-type]
