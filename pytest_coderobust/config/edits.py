"""The `[edit]` table of a suite: editors, requests and scoring.

The editors themselves are names here; `pytest_coderobust.editors` knows them and their options.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from pytest_coderobust.config.table import Table
from pytest_coderobust.errors import ConfigError, nearest
from pytest_coderobust.records import Sampling

Regime = Literal["instant", "successive"]
REGIMES: tuple[Regime, ...] = ("instant", "successive")
CHECKPOINTS = (1, 2, 5, 10, 20, 50, 100)
WORDS = ("requests", "regime")
"""Words of an `--edit` that are not options: "creme:requests=10,regime=successive"."""


def _default_sampling() -> Sampling:
    return Sampling(n=10, temperature=0.2, top_p=0.95)


@dataclass(frozen=True, slots=True)
class EditConfig:
    """The edits of a suite's model.

    Attributes:
        editors: the stack, the first applied first; empty for no edit.
        requests: for each perturbation.
        regime: "instant" undoes each edit before the next one, "successive" accumulates.
        seed: draws the requests.
        checkpoints: numbers of successive edits after which the model is measured; () is 1, 2,
            5, 10, ...
        placebos: rotated edits for the control.
        scored: the sampling of G-RIR and its controls; only n, temperature and top_p count.
    """

    editors: tuple[str, ...] = ()
    requests: int = 1
    regime: Regime = "instant"
    seed: int = 0
    checkpoints: tuple[int, ...] = ()
    placebos: int = 3
    scored: Sampling = field(default_factory=_default_sampling)

    @property
    def steps(self) -> tuple[int, ...]:
        """The checkpoints up to the last request, which is always one."""
        asked = self.checkpoints or CHECKPOINTS
        return tuple(sorted({*(step for step in asked if step < self.requests), self.requests}))


def read_edit(table: Table) -> EditConfig:
    """Reads the `[edit]` table; the defaults where it is absent.

    Raises:
        ConfigError: a key or a value is wrong.
    """
    scored = replace(
        _default_sampling(),
        n=table.integer("n", 10, least=1),
        temperature=table.number("temperature", 0.2, least=0.0, most=10.0),
        top_p=table.number("top_p", 0.95, least=0.0, most=1.0),
    )
    if scored.greedy:
        if "n" in table and scored.n > 1:
            raise table.error("n", "greedy decoding (temperature 0) draws the same every time")
        scored = replace(scored, n=1)
    found = EditConfig(
        requests=table.integer("requests", 1, least=1),
        regime=cast("Regime", table.choice("regime", "instant", REGIMES)),
        seed=table.integer("seed", 0, least=0),
        checkpoints=table.integers("checkpoints", ()),
        placebos=table.integer("placebos", 3, least=0),
        scored=scored,
    )
    if any(step < 1 for step in found.checkpoints):
        raise table.error("checkpoints", "an edit's number starts at 1")
    editors = table.texts("editor")
    table.finish()
    return with_editors(found, editors, table.place("editor"))


def with_editors(config: EditConfig, editors: Iterable[str], where: str) -> EditConfig:
    """Replaces the stack, whose entries may set `requests` and `regime` too.

    Args:
        where: starts every message.

    Raises:
        ConfigError: such a word has no sensible value.
    """
    stack: list[str] = []
    for text in editors:
        name, _, rest = text.partition(":")
        options = [part.strip() for part in rest.split(",") if part.strip()]
        own = [part for part in options if part.partition("=")[0].strip() not in WORDS]
        for part in options:
            config = _apply_word(config, part, f"{where} {text}")
        # the text after the colon of a drive or a folder is not an option
        stack.append(f"{name}:{','.join(own)}" if own else (name if options else text))
    return replace(config, editors=tuple(stack))


def _apply_word(config: EditConfig, part: str, where: str) -> EditConfig:
    key, _, value = (word.strip() for word in part.partition("="))
    if key == "requests":
        if not value.isdecimal() or int(value) < 1:
            raise ConfigError(f"{where}: requests = {value!r} must be a whole number from 1")
        return replace(config, requests=int(value))
    if key == "regime":
        known: dict[str, Regime] = {name: name for name in REGIMES}
        if value not in known:
            raise ConfigError(f"{where}: regime = {value!r}{nearest(value, REGIMES)}")
        return replace(config, regime=known[value])
    return config


def format_stack(editors: Sequence[str]) -> str:
    """Writes a stack as a report shows it."""
    return " + ".join(editors)
