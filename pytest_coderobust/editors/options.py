"""Options of every editor: frozen, validated, with the papers' values as defaults.

Nothing here imports torch. A layer that is None is taken at the paper's relative depth, because the
papers' numbers are for models of 28 to 32 layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar, Literal, Protocol, get_args, get_origin, get_type_hints

from pytest_coderobust.errors import ConfigError, nearest


def at_least(default: Any, least: float, most: float = float("inf")) -> Any:
    """Makes the field of an option with bounds, inclusive; None has none."""
    return field(default=default, metadata={"least": least, "most": most})


def _layer() -> Any:
    return at_least(None, 0)


@dataclass(frozen=True, slots=True)
class FinetuningOptions:
    """FT-L / constrained fine-tuning of one matrix (Zhu et al. 2020).

    Attributes:
        layer: None is 21 of 32, the layer of CLMEEval.
        epsilon: the largest change of an entry; 0 is no bound.
        stop: the loss below which no further step is made.
        loss: "target" is the teacher-forced cross-entropy (FT-M); "prompt-last" reads every token
            at the prompt's last position, as the original FT-L does.
    """

    layer: int | None = _layer()
    lr: float = at_least(5e-4, 0)
    steps: int = at_least(25, 1)
    epsilon: float = at_least(1e-4, 0)
    stop: float = at_least(1e-2, 0)
    loss: Literal["target", "prompt-last"] = "target"


Alignment = Literal["tokens", "right", "paper"]


@dataclass(frozen=True, slots=True)
class CremeOptions:
    """CREME (arXiv 2507.16407) with the values of its released code.

    Attributes:
        layer: None finds the key layer of every request by causal intervention.
        lam: weight of the term that keeps the clean prompt's states.
        patience: steps without improvement after which it stops.
        tokens: greedy tokens of the clean prompt's continuation whose states are aligned.
        solver: "cached" minimises over cached states, exactly what "full" does with a forward
            pass a step; "ridge" is the minimum-norm solution.
        samples, temperature, top_p, sweep_tokens: how the sweep over layers generates.
        align: which states of the clean prompt replace which of the perturbed one: of aligned
            tokens, of the common right end, or of every position, pads too, as in the paper's code.
    """

    layer: int | None = _layer()
    lr: float = at_least(5e-4, 0)
    steps: int = at_least(20, 1)
    lam: float = at_least(0.1, 0)
    patience: int = at_least(3, 1)
    tokens: int = at_least(32, 1)
    solver: Literal["cached", "full", "ridge"] = "cached"
    samples: int = at_least(10, 1)
    temperature: float = at_least(0.2, 0)
    top_p: float = at_least(0.95, 0.01, 1)
    sweep_tokens: int = at_least(128, 1)
    align: Alignment = "tokens"


@dataclass(frozen=True, slots=True)
class RomeOptions:
    """ROME in the form r-ROME (arXiv 2202.05262, 2403.07175); identity covariance.

    Attributes:
        layer: None is 5 of 32.
        clamp: bound of the value's change, in norms of the value.
        kl, decay: weights of the KL to the unedited model and of the change's norm.
        stop: the loss below which no further step is made.
        prefixes: number of short texts, written by the model, that the prompt is put behind.
        prefix_tokens: their length.
        asymmetric: uses the averaged key in one place and the bare one in another, as the original
            does: the cause of its "disabling edits".
    """

    layer: int | None = _layer()
    lr: float = at_least(0.5, 0)
    steps: int = at_least(25, 1)
    clamp: float = at_least(4.0, 0)
    kl: float = at_least(0.0625, 0)
    decay: float = at_least(1e-3, 0)
    stop: float = at_least(0.05, 0)
    prefixes: int = at_least(5, 0, 5)
    prefix_tokens: int = at_least(10, 1)
    asymmetric: bool = False


@dataclass(frozen=True, slots=True)
class GraceOptions:
    """GRACE (arXiv 2211.11031): a codebook beside one down-projection.

    Attributes:
        layer: None is 27 of 32.
        epsilon: the first radius of a key.
        init: a value starts at noise ("cold") or at the present output ("warm").
        replace: the value replaces the output at the prompt's last token, at all before it, or at
            all of them.
        gain: an edit that lowers its loss by a smaller share is refused.
    """

    layer: int | None = _layer()
    lr: float = at_least(1.0, 0)
    steps: int = at_least(30, 1)
    epsilon: float = at_least(1.0, 0)
    init: Literal["cold", "warm"] = "cold"
    replace: Literal["last", "prompt", "all"] = "last"
    gain: float = at_least(0.05, 0, 1)
    seed: int = at_least(0, 0)


@dataclass(frozen=True, slots=True)
class DinmOptions:
    """DINM (arXiv 2403.14472).

    Attributes:
        layer: None is the layer where the states of the two answers are farthest apart.
        weight: weight of the target's loss beside the KL on an unrelated prompt.
        reference_compat: computes the KL without a gradient, as the released code does.
    """

    layer: int | None = _layer()
    lr: float = at_least(5e-4, 0)
    steps: int = at_least(10, 1)
    weight: float = at_least(0.1, 0)
    stop: float = at_least(1e-4, 0)
    reference_compat: bool = False


@dataclass(frozen=True, slots=True)
class LoraOptions:
    """LoRA on the requests alone (arXiv 2106.09685), EasyEdit's values.

    Attributes:
        modules: "attention" is the query and value projections, "all" every linear layer but the
            output embedding.
    """

    rank: int = at_least(8, 1)
    alpha: float = at_least(32.0, 0)
    lr: float = at_least(5e-3, 0)
    steps: int = at_least(60, 1)
    dropout: float = at_least(0.0, 0, 0.99)
    stop: float = at_least(1e-2, 0)
    modules: Literal["attention", "all"] = "attention"
    seed: int = at_least(0, 0)


@dataclass(frozen=True, slots=True)
class DenoisingOptions:
    """Self-Denoising (arXiv 2504.02733): the model rewrites the prompt first.

    Attributes:
        rounds: the most rewrites of a prompt; it ends earlier when nothing changes.
        tokens: length of the longest rewrite.
    """

    rounds: int = at_least(1, 1, 5)
    tokens: int = at_least(96, 1)


class Options(Protocol):
    """The options of one editor: a frozen dataclass whose every field has a default.

    A field is a number, a text, true or false, or one of the choices of a `Literal`; the metadata
    "least" and "most" bound a number.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def make_options(kind: type[Options], values: Mapping[str, object], where: str) -> Options:
    """Makes the options from the texts of the command line, or from values of their types.

    Args:
        kind: the dataclass of the options.
        where: starts every message ("--edit rome:lr=x").

    Raises:
        ConfigError: an option that the editor does not have, or an impossible value.
    """
    hints = get_type_hints(kind)
    made: dict[str, object] = {}
    for key, value in values.items():
        if key not in hints:
            raise ConfigError(f"{where}: unknown option {key!r}{nearest(key, hints)}")
        made[key] = _convert(value, hints[key], f"{where}: {key} = {value}")
    options = kind(**made)
    for each in fields(options):
        value = getattr(options, each.name)
        least, most = each.metadata.get("least"), each.metadata.get("most")
        if least is not None and value is not None and not least <= value <= most:
            bound = f"at least {least:g}" if most == float("inf") else f"{least:g} to {most:g}"
            raise ConfigError(f"{where}: {each.name} = {value}: must be {bound}")
    return options


def changed_options(options: Options) -> dict[str, object]:
    """Collects the options that are not at their defaults, in order."""
    return {
        each.name: getattr(options, each.name)
        for each in fields(options)
        if each.default is MISSING or getattr(options, each.name) != each.default
    }


def _convert(value: object, hint: Any, where: str) -> object:
    """Converts a value to the type of its annotation.

    Raises:
        ConfigError: it has another type.
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
    if kind is str:
        return str(value)
    noun = "a whole number" if kind is int else "a number"
    if isinstance(value, bool) or (kind is int and isinstance(value, float)):
        raise ConfigError(f"{where}: must be {noun}")
    try:
        number = int(str(value)) if kind is int else float(str(value))
    except (TypeError, ValueError):
        raise ConfigError(f"{where}: must be {noun}") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise ConfigError(f"{where}: must be {noun}")
    return number
