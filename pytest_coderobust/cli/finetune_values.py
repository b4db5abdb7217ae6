"""Values of the commands about training, each refused in one sentence where it is impossible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from pytest_coderobust.errors import UsageError

if TYPE_CHECKING:
    from pytest_coderobust.config.rewriters import RewriterSpec


def read_number(label: str, text: str, least: int) -> int:
    """Reads a whole number.

    Raises:
        UsageError: it is none, or below the least.
    """
    if not (text.isdecimal() and text.isascii()) or int(text) < least:
        raise UsageError(f"{label} {text!r} must be a whole number from {least}")
    return int(text)


def read_ratios(text: str) -> tuple[int, ...]:
    """Reads per cent between 1 and 99; the sets clean and mix_all are those of 0 and 100."""
    ratios = [read_number("--ratios", part.strip(), least=1) for part in text.split(",")]
    for ratio in ratios:
        if ratio > 99:
            raise UsageError(
                f"--ratios {ratio} must lie between 1 and 99; clean has 0 %, and mix_all 100 %"
            )
    return tuple(dict.fromkeys(ratios))


def read_sizes(text: str) -> tuple[Fraction, ...]:
    """Reads multiples of the data's rows, above 0."""
    sizes: list[Fraction] = []
    for part in map(str.strip, text.split(",")):
        try:
            size = Fraction(part)
        except (ValueError, ZeroDivisionError):
            size = Fraction(0)
        if not 0 < size <= 100:
            raise UsageError(f"--sizes {part!r} must be a multiple of the data, above 0 up to 100")
        sizes.append(size)
    return tuple(dict.fromkeys(sizes))


def read_rewriters(words: Sequence[str]) -> Mapping[str, RewriterSpec]:
    """Reads the rewriters that `--rewriter` names.

    Raises:
        ConfigError: a perturbation takes none, or a value is not a valid rewriter.
        UsageError: it reads recorded rows, which are of a suite's tasks.
    """
    from pytest_coderobust.config import rewriters
    from pytest_coderobust.config.table import Table

    named: dict[str, object] = {}
    for word in words:
        name, _, text = word.partition("=")
        named[name] = text
    specs = rewriters.read_rewriters(Table(named, "rewriters", "--rewriter")).specs
    for name, spec in specs.items():
        if spec.kind == "rows":
            raise UsageError(
                f"--rewriter {name}={spec.text}: recorded rows are of a suite's tasks; training "
                "data need a rewriter, such as apertium"
            )
    return specs
