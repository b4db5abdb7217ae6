"""Sets of training data: which rows each has, and which of them are perturbed.

Liu et al. 2026 train on 32 perturbed sets: nine perturbations and four aggregates on every row;
aggregates on shares of 10 to 90 %, three draws each; and a quarter to three times the rows at a
share of 60 %. The paper does not say how rows are drawn. Here a draw is a permutation of the rows
by seed and repeat, of which a share takes the first: the rows of 30 % contain those of 10 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from coderobust_strategies.catalogue import CODE_PREFIX, REWRITING, level, lookup
from coderobust_strategies.perturbation import PerturbationError
from coderobust_strategies.site import noise
from pytest_coderobust.errors import UsageError

CLEAN_SET = "clean"
SINGLES = ("C1", "C2", "C3", "W1", "W2", "W3", "S1", "S2", "S3")
AGGREGATES = ("C", "W", "S", "mix_all")
MIXED = "mix_all"
RATIOS = (10, 30, 50, 70, 90)
REPEATS = 3
SIZES = (Fraction(1, 4), Fraction(1, 2), Fraction(2), Fraction(3))
SIZE_SHARE = Fraction(60, 100)
"""The share of perturbed rows in the sets of other sizes."""
MIXING = "+"
"""Between the perturbations of a mix, of which each row draws one: "C1+W2"."""
GROUPS = ("all", "clean", "singles", "aggregates", "ratios", "sizes")


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """One set of rows to train on.

    Attributes:
        name: the name of its file, without the suffix.
        perturbation: the perturbation of its perturbed rows, or several of which each row draws
            one ("C1+W2"); "" where all stay clean.
        share: the share of rows that are perturbed.
        repeat: the number of the draw, from 0; each draws other rows.
        size: the number of rows, as a multiple of the data's.
    """

    name: str
    perturbation: str = ""
    share: Fraction = Fraction(1)
    repeat: int = 0
    size: Fraction = Fraction(1)

    @property
    def level(self) -> str:
        """The level of its perturbation; "mixed" of a mix of several, "" of clean rows."""
        levels = {level(part) for part in self.perturbation.split(MIXING) if part}
        return levels.pop() if len(levels) == 1 else "mixed" if levels else ""


@dataclass(frozen=True, slots=True)
class RowCopy:
    """A row of a set.

    Attributes:
        place: the place of the row in the data.
        copy: 0, or the number of the row's further copy in a set larger than the data.
        perturbed: whether its prompt is to be perturbed.
    """

    place: int
    copy: int
    perturbed: bool


def list_sets(
    names: Iterable[str],
    *,
    ratios: Sequence[int] = RATIOS,
    repeats: int = REPEATS,
    sizes: Sequence[Fraction] = SIZES,
    option: str = "--sets",
) -> tuple[TrainingSet, ...]:
    """Lists the sets that names stand for, each once.

    Args:
        names: groups (`GROUPS`), perturbations, or names of single sets such as "mix_all-30-1".
        option: the option that the names come from, for messages.

    Raises:
        UsageError: a name stands for none; the message offers the nearest.
    """
    groups = {
        "clean": [TrainingSet(CLEAN_SET)],
        "singles": [TrainingSet(each, each) for each in SINGLES],
        "aggregates": [TrainingSet(each, each) for each in AGGREGATES],
        "ratios": [_ratio_set(ratio, repeat) for ratio in ratios for repeat in range(repeats)],
        "sizes": [_size_set(size) for size in sizes],
    }
    groups["all"] = [each for group in groups.values() for each in group]
    single = {each.name: each for each in groups["all"]}
    found: dict[str, TrainingSet] = {}
    for name in names:
        for each in groups.get(name) or [single.get(name) or _perturbation_set(name, option)]:
            found[each.name] = each
    return tuple(found.values())


def _ratio_set(ratio: int, repeat: int) -> TrainingSet:
    share = Fraction(ratio, 100)
    return TrainingSet(f"{MIXED}-{ratio}-{repeat + 1}", MIXED, share, repeat)


def _size_set(size: Fraction) -> TrainingSet:
    return TrainingSet(f"{MIXED}-x{float(size):g}", MIXED, SIZE_SHARE, size=size)


def _perturbation_set(name: str, option: str) -> TrainingSet:
    """Makes the set of any perturbation of prose.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        for part in name.split(MIXING):
            lookup(part, rewriter=part in REWRITING)
    except PerturbationError as error:
        groups = f"; {option} also takes {', '.join(GROUPS)}, and mix_all-30-1 or mix_all-x0.5"
        more = "" if name.startswith(CODE_PREFIX) else groups
        raise UsageError(f"{option} {name}: {error}{more}") from None
    return TrainingSet(name.replace(":", "_"), name)


def choose_rows(chosen: TrainingSet, ids: Sequence[str], seed: int) -> Iterator[RowCopy]:
    """Chooses the rows of a set, in the order of the data, copy after copy.

    Args:
        ids: the id of each row of the data; the draw of a row depends on its id.
    """
    for copy in range(-(-chosen.size.numerator // chosen.size.denominator)):
        part = min(chosen.size - copy, Fraction(1))
        kept = sorted(_draw(ids, range(len(ids)), part, "rows", seed, copy))
        share = chosen.share if chosen.perturbation else Fraction(0)
        perturbed = set(_draw(ids, kept, share, "share", seed, chosen.repeat + copy))
        for place in kept:
            yield RowCopy(place, copy, place in perturbed)


def _draw(
    ids: Sequence[str], places: Sequence[int], share: Fraction, *key: str | int
) -> Sequence[int]:
    """Draws a share of the places, rounded down: the first of a permutation made of their ids."""
    if share in (0, 1):
        return places if share else ()

    def order(place: int) -> tuple[float, int]:
        return noise("training", *key, ids[place]).random(), place

    return sorted(places, key=order)[: len(places) * share.numerator // share.denominator]
