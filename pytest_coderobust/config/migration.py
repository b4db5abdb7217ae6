"""The `[migration]` table of a suite: the arms of a study of API migration, and its gates.

The arms are names here; `pytest_coderobust.engine.study` knows them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

from pytest_coderobust.config.edits import CHECKPOINTS, REGIMES, Regime
from pytest_coderobust.config.table import Table, check_unique
from pytest_coderobust.errors import ConfigError, nearest

WorldChoice = Literal["own", "all"]
WORLDS: tuple[WorldChoice, ...] = ("own", "all")
FORMS = ("auto", "solution", "own", "decision")
ARMS = ("none", "note", "example", "codemod")
"""The arms of a suite that names none: those that need no weights."""


@dataclass(frozen=True, slots=True)
class MigrationConfig:
    """A study of API migration.

    Attributes:
        arms: as the user wrote them.
        regime: "instant" undoes each edit before the next one, "successive" accumulates.
        chosen_world: the changes in force for a task; None leaves it to the regime.
        request_form: of every edit; "auto" is each editor's own.
        requests: the most reliability tasks that one edit is made for; None for all.
        changes: the most changes; None for all.
        checkpoints: numbers of successive edits after which is measured; () is 1, 2, 5, 10, ...
        seed: draws the order of the edits.
        gates: such as "stale[none] <= 0.05"; `pytest_coderobust.gates` parses them.
    """

    arms: tuple[str, ...] = ARMS
    regime: Regime = "instant"
    chosen_world: WorldChoice | None = None
    request_form: str = "auto"
    requests: int | None = None
    changes: int | None = None
    checkpoints: tuple[int, ...] = ()
    seed: int = 0
    gates: tuple[str, ...] = ()

    @property
    def world(self) -> WorldChoice:
        """The world: a task's own change, or every change that was edited for so far."""
        return self.chosen_world or ("own" if self.regime == "instant" else "all")

    def list_steps(self, edits: int) -> tuple[int, ...]:
        """Lists the numbers of successive edits after which is measured; the last is always one."""
        asked = self.checkpoints or CHECKPOINTS
        return tuple(sorted({*(step for step in asked if step < edits), edits}))


def read_migration(table: Table) -> MigrationConfig:
    """Reads the `[migration]` table; the defaults where it is absent.

    Raises:
        ConfigError: a key or a value is wrong.
    """
    world = table.choice("world", "", ("", *WORLDS)) if "world" in table else None
    found = MigrationConfig(
        arms=table.texts("arms", ARMS),
        regime=cast("Regime", table.choice("regime", "instant", REGIMES)),
        chosen_world=cast("WorldChoice | None", world or None),
        request_form=table.choice("request_form", "auto", FORMS),
        requests=table.integer("requests", 0, least=0) or None,
        changes=table.integer("changes", 0, least=0) or None,
        checkpoints=table.integers("checkpoints", ()),
        seed=table.integer("seed", 0, least=0),
        gates=table.texts("gates"),
    )
    if not found.arms:
        raise table.error("arms", "must name at least one arm")
    check_unique(table, "arms", found.arms)
    if any(step < 1 for step in found.checkpoints):
        raise table.error("checkpoints", "an edit's number starts at 1")
    table.allow("world")
    table.finish()
    return found


def with_regime(config: MigrationConfig, value: str, where: str) -> MigrationConfig:
    """Replaces the regime, as `--regime` asks.

    Raises:
        ConfigError: there is no such regime.
    """
    known: dict[str, Regime] = {name: name for name in REGIMES}
    if value not in known:
        raise ConfigError(f"{where}: {value!r} is not a valid regime{nearest(value, REGIMES)}")
    return replace(config, regime=known[value])
