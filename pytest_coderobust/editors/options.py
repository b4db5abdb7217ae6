"""The options of every editor: frozen, validated, with the papers' values as defaults.

Nothing here imports torch. A layer that is None stands at the paper's relative depth, because the
papers' numbers are those of models of 28 to 32 layers.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from pytest_coderobust.errors import ConfigError, nearest


def _at_least(default: Any, least: float, most: float = float("inf")) -> Any:
    return field(default=default, metadata={"least": least, "most": most})


def _layer() -> Any:
    return _at_least(None, 0)


@dataclass(frozen=True, slots=True)
class FinetuningOptions:
    """FT-L / constrained fine-tuning of one matrix (editing.md §5; Zhu et al. 2020).

    Attributes:
        layer: None is 21 of 32, the layer of CLMEEval.
        epsilon: the largest change of an entry; 0 is no bound.
        stop: the loss below which no further step is made.
        loss: "target" is the teacher-forced cross-entropy (FT-M); "prompt-last" reads every token
            at the prompt's last position, as the original FT-L does.
    """

    layer: int | None = _layer()
    lr: float = _at_least(5e-4, 0)
    steps: int = _at_least(25, 1)
    epsilon: float = _at_least(1e-4, 0)
    stop: float = _at_least(1e-2, 0)
    loss: Literal["target", "prompt-last"] = "target"


Options = FinetuningOptions


def make_options(kind: type, values: dict[str, object], where: str) -> Options:
    """The options in a mapping: texts of the command line, or values of a TOML table.

    Args:
        where: starts every message ("--edit rome:lr=x", "suite.toml: [edit]").

    Raises:
        ConfigError: an option that the editor does not have, or an impossible value.
    """
    hints = get_type_hints(kind)
    made: dict[str, object] = {}
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(f"{where}: unknown option {key!r}{nearest(key, hints)}")
        made[key] = _converted(value, hints[key], f"{where}: {key} = {value}")
    options = kind(**made)
    for each in fields(kind):
        value = getattr(options, each.name)
        least, most = each.metadata.get("least"), each.metadata.get("most")
        if least is not None and value is not None and not least <= value <= most:
            bound = f"at least {least:g}" if most == float("inf") else f"{least:g} to {most:g}"
            raise ConfigError(f"{where}: {each.name} = {value}: must be {bound}")
    return cast("Options", options)


def changed_options(options: Options) -> dict[str, object]:
    """The options that are not at their defaults, in order."""
    return {
        each.name: getattr(options, each.name)
        for each in fields(options)
        if each.default is MISSING or getattr(options, each.name) != each.default
    }


def _converted(value: object, hint: Any, where: str) -> object:
    """A value as its annotation wants it.

    Raises:
        ConfigError: it cannot be.
    """
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where}: not a valid choice{nearest(str(value), get_args(hint))}")
        return value
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not type(None)]
    (kind,) = kinds
    if kind is bool:
        texts = {"true": True, "false": False}
        found = value if isinstance(value, bool) else texts.get(str(value).lower())
        if found is None:
            raise ConfigError(f"{where}: must be true or false")
        return found
    noun = "a whole number" if kind is int else "a number"
    if isinstance(value, bool) or (kind is int and isinstance(value, float)):
        raise ConfigError(f"{where}: must be {noun}")
    try:
        number = kind(value)
    except (TypeError, ValueError):
        raise ConfigError(f"{where}: must be {noun}") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise ConfigError(f"{where}: must be {noun}")
    return cast("object", number)
