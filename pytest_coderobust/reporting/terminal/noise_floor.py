"""The noise floor, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_coderobust.metrics.noise_floor import NoiseFloor, Run


def render_floor(floor: NoiseFloor) -> Iterator[str]:
    """Renders the floor, and each movement with the re-runs it is from."""
    yield f"noise floor of the clean pass@{floor.k}: {floor.value:.4f} ({floor.source})"
    yield f"  batch sizes     {floor.batch_movement:.4f}  ({list_runs(floor.batches)})"
    greedy = "" if len(floor.seeds) > 1 else ", greedy decoding draws nothing"
    yield f"  sampling seeds  {floor.seed_movement:.4f}  ({list_runs(floor.seeds)}{greedy})"
    yield f"  one task        {floor.step:.4f}  ({floor.tasks} tasks)"


def list_runs(runs: tuple[Run, ...]) -> str:
    return ", ".join(f"{name}: {value:.3f}" for name, value in runs)
