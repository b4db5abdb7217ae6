"""TextAttack's transformations and augmenters as perturbations: `textattack:NAME`.

TextAttack needs transformers below 5 and NLTK's stopwords when it is imported, so it is an extra
with an environment of its own. Words of protected spans are not offered to it; what it damages all
the same is the auditor's to find.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cached_property
from importlib import import_module
from io import StringIO
from typing import Any

from coderobust_strategies.catalogue import FOREIGN_PREFIX
from pytest_coderobust.errors import MissingExtra, ModelError, UnknownName, UsageError
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.records import digest
from pytest_coderobust.rewriters.rewriter import Paragraph


class TextAttack:
    """One of TextAttack's transformations or augmenters.

    Args:
        name: the perturbation's: "textattack:CharSwapAugmenter".
        edit_rate: share of the words that change; None is TextAttack's own, a tenth.

    Raises:
        MissingExtra: TextAttack is not installed.
        UsageError: it cannot be imported, or has nothing of that name.
    """

    batched = False
    seeded = True

    def __init__(self, name: str, edit_rate: float | None, where: str) -> None:
        load_textattack(where)
        self._name = name.removeprefix(FOREIGN_PREFIX)
        self._rate = 0.1 if edit_rate is None else edit_rate
        self._class = _find(self._name, where)

    @property
    def digest(self) -> str:
        return self._digest

    @cached_property
    def _digest(self) -> str:
        from importlib.metadata import version

        return digest("textattack", version("textattack"), self._name, self._rate)

    def rewrite(self, paragraphs: Sequence[Paragraph]) -> list[str]:
        return [self._one(each) for each in paragraphs]

    def _one(self, paragraph: Paragraph) -> str:
        kept = {
            word
            for start, stop in paragraph.protected
            for word in _words(paragraph.text[start:stop])
        }
        seed = int(digest(paragraph.text, self._name, paragraph.seed)[:16], 16)
        with silent(), seeded_generators(seed):
            augmenter = self._augmenter()
            augmenter.pre_transformation_constraints.append(_only(kept))
            try:
                found = augmenter.augment(paragraph.text)
            except Exception as error:
                raise ModelError(f"textattack {self._name} failed: {error!r}") from error
        return str(found[0]) if found else paragraph.text

    def _augmenter(self) -> Any:
        """The augmenter, or one around the transformation."""
        augmentation = import_module("textattack.augmentation")
        if issubclass(self._class, augmentation.Augmenter):
            return self._class(pct_words_to_swap=self._rate, transformations_per_example=1)
        return augmentation.Augmenter(
            self._class(), pct_words_to_swap=self._rate, transformations_per_example=1
        )


def load_textattack(where: str) -> Any:
    """TextAttack, imported in silence.

    Raises:
        MissingExtra: it is not installed.
        UsageError: it cannot be imported.
    """
    with silent():
        try:
            return import_module("textattack")
        except ModuleNotFoundError as error:
            if error.name != "textattack":
                raise UsageError(f"{where}: TextAttack cannot be imported: {error}") from None
            raise MissingExtra(f"{where}: TextAttack", "textattack") from None
        except LookupError:
            raise UsageError(
                f"{where}: TextAttack needs NLTK's stopwords; get them with: "
                "python -m nltk.downloader stopwords"
            ) from None
        except ImportError as error:
            raise UsageError(f"{where}: TextAttack cannot be imported: {error}") from None


@contextmanager
def silent() -> Generator[None]:
    """Keeps TextAttack's downloads, bars and log lines off the terminal."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()), quiet():
        yield


@contextmanager
def seeded_generators(seed: int) -> Generator[None]:
    """Python's and NumPy's generators at a seed; set back afterwards."""
    import numpy as np

    before, numbers = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numbers)  # noqa: NPY002


def _find(name: str, where: str) -> Any:
    rooms = (import_module("textattack.augmentation"), import_module("textattack.transformations"))
    bases = (rooms[0].Augmenter, rooms[1].Transformation)
    known = {
        each: found
        for room in rooms
        for each in dir(room)
        if isinstance(found := getattr(room, each), type) and issubclass(found, bases)
    }
    if name not in known:
        raise UnknownName("transformation or augmenter", name, known, f"{where}: ")
    return known[name]


def _only(kept: set[str]) -> Any:
    """A constraint under which words that are to be kept are not offered."""

    def allowed(text: Any, _transformation: Any) -> set[int]:
        return {place for place, word in enumerate(text.words) if word not in kept}

    return allowed


def _words(text: str) -> list[str]:
    found: list[str] = import_module("textattack.shared.utils").words_from_text(text)
    return found
