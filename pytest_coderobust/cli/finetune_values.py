"""Values of the commands about training, each refused in one sentence where it is impossible."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from pytest_coderobust.config.finetune_grid import MOST_SEED
from pytest_coderobust.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from pytest_coderobust.config.rewriters import RewriterSpec
    from pytest_coderobust.training.settings import LoraSettings, TrainingPreset, TrainingSettings


def read_number(label: str, text: str, least: int, most: int | None = None) -> int:
    """Reads a whole number.

    Raises:
        UsageError: it is none, or out of range.
    """
    is_number = text.isdecimal() and text.isascii() and len(text) < 20
    if not is_number or int(text) < least or (most is not None and int(text) > most):
        upto = "" if most is None else f" to {most}"
        raise UsageError(f"{label} {text!r} must be a whole number from {least}{upto}")
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


def read_preset(name: str) -> TrainingPreset:
    """Reads the name of a preset.

    Raises:
        UnknownName: there is none.
    """
    from pytest_coderobust.training.settings import PRESETS

    if name not in PRESETS:
        raise UnknownName("preset", name, PRESETS, "--preset: ")
    return PRESETS[name]


def read_settings(preset: TrainingSettings, options: argparse.Namespace) -> TrainingSettings:
    """Reads the numbers that stand in the place of a preset's.

    Raises:
        UsageError: one is impossible.
    """
    named: dict[str, int] = {}
    for field, least in (("epochs", 1), ("steps", 1), ("batch", 1), ("accumulate", 1),
                         ("max_tokens", 2), ("seed", 0), ("save_every", 1)):  # fmt: skip
        text = getattr(options, field)
        if text is not None:
            most = MOST_SEED if field == "seed" else None
            named[field] = read_number(f"--{field.replace('_', '-')}", text, least, most)
    settings = replace_numbers(preset, named)
    if options.lr is None:
        return settings
    return replace(settings, rate=_read_fraction("--lr", options.lr, most=1.0))


def replace_numbers(preset: TrainingSettings, named: Mapping[str, int | float]) -> TrainingSettings:
    """Puts numbers in the place of a preset's; steps that the user names are all trained.

    Beside a number of epochs they end the training early.
    """
    found: TrainingSettings = replace(preset, **cast("Any", dict(named)))
    return replace(found, epochs=0) if "steps" in named and "epochs" not in named else found


def read_lora(text: str) -> LoraSettings:
    """Reads the options of an adapter: "r=16,alpha=32,dropout=0.1", or a part of them.

    Raises:
        UsageError: one is unknown or impossible.
    """
    from pytest_coderobust.training.settings import LoraSettings

    found = LoraSettings()
    for part in filter(None, map(str.strip, text.split(","))):
        key, _, value = part.partition("=")
        if key == "r":
            found = replace(found, rank=read_number("--lora r", value, least=1))
        elif key == "alpha":
            found = replace(found, alpha=read_number("--lora alpha", value, least=1))
        elif key == "dropout":
            found = replace(found, dropout=_read_dropout(value))
        else:
            raise UnknownName("option of --lora", key, ("r", "alpha", "dropout"))
    return found


def _read_dropout(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 0.99:
        raise UsageError(f"--lora dropout {text!r} must be a number from 0 to 0.99")
    return value


def _read_fraction(label: str, text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value <= most:
        raise UsageError(f"{label} {text!r} must be a number above 0, at most {most:g}")
    return value
