"""The heat map: relative degradation by level and perturbation, and of each seed by itself."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_coderobust.metrics.condition import ConditionSummary
from pytest_coderobust.metrics.seed_scores import SeedScore
from pytest_coderobust.reporting.figures import NONE, format_number, pick_conditions
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.results.conclusion import SuiteReport

STEPS = 10
LINE = 300


@dataclass(frozen=True, slots=True)
class SeedTile:
    """One seed of a perturbation: its number, its RD, and its heat as `Tile` has it."""

    seed: int
    value: str
    heat: int


@dataclass(frozen=True, slots=True)
class Tile:
    """One square of the heat map; `heat` from 0 (no loss) to 10 (everything), -1 for unknown.

    Attributes:
        seeds: each by itself; none where there is one alone.
    """

    name: str
    value: str
    count: str
    heat: int
    pools: bool
    seeds: tuple[SeedTile, ...] = ()


def make_heat_map(report: SuiteReport) -> tuple[tuple[str, tuple[Tile, ...]], ...]:
    """Makes the tiles of each level: its perturbations, and the level where it pools several."""
    run, summary = report.run, report.summary
    k = min(run.ks)
    seeds: dict[str, list[SeedScore]] = {}
    for score in report.score_seeds():
        seeds.setdefault(score.cell.perturbation, []).append(score)
    lines: dict[str, list[Tile]] = {}
    conditions = {condition.name: condition for condition in summary.conditions}
    for condition in pick_conditions(summary):
        if condition.kind == "perturbation":
            level = run.levels.get(condition.name, "") or "other"
            own = seeds.get(condition.name, [])
            lines.setdefault(level, []).append(make_tile(condition, k, own))
    for level, tiles in lines.items():
        pooled = conditions.get(level)
        if pooled is not None and pooled.kind == "level" and len(tiles) > 1:
            tiles.insert(0, make_tile(pooled, k, []))
    everything = next((c for c in summary.conditions if c.kind == "all"), None)
    if everything is not None and len(lines) > 1:
        lines["all"] = [make_tile(everything, k, [])]
    return tuple((escape(level, LINE), tuple(tiles)) for level, tiles in lines.items())


def make_tile(condition: ConditionSummary, k: int, seeds: list[SeedScore]) -> Tile:
    """Makes one condition of the heat map, coloured by its relative degradation.

    Args:
        seeds: of a perturbation; of a pool none.
    """
    rd = condition.scores[k].rd
    return Tile(
        name=escape(condition.name, LINE),
        value=NONE if rd is None else f"{rd.value:.3f}",
        count=f"{condition.broken} broken of {condition.broken + condition.robust} solved",
        heat=find_heat(None if rd is None else rd.value),
        pools=condition.kind != "perturbation",
        seeds=tuple(map(make_seed_tile, seeds)) if len(seeds) > 1 else (),
    )


def make_seed_tile(score: SeedScore) -> SeedTile:
    value = NONE if score.rd is None else format_number(score.rd, 2)
    return SeedTile(score.cell.seed, value, find_heat(score.rd))


def find_heat(rd: float | None) -> int:
    """Finds the step of the scale for a relative degradation, -1 for an unknown one."""
    return -1 if rd is None else round(STEPS * min(1.0, max(0.0, rd)))
