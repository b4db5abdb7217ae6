"""One square on several edited models, as one observation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_coderobust.engine.edited_models import EditedModel
from pytest_coderobust.engine.measured import Measured
from pytest_coderobust.metrics.outcome import status
from pytest_coderobust.records import Cell, Task


def pooled(task: Task, cell: Cell, models: Sequence[EditedModel], solved_at: float) -> Measured:
    """A square on the models that were not edited on its task, if there are any; counts add up.

    Raises:
        ModelError, SandboxError, OracleError, UsageError: the harness failed.
    """
    others = [model for model in models if task.id not in model.tasks]
    found = [model.measuring.measure(task, cell) for model in others or models]
    seen = [each.observation for each in found]
    observation = replace(
        seen[0],
        n=sum(o.n for o in seen),
        c=sum(o.c for o in seen),
        clean_n=sum(o.clean_n for o in seen),
        clean_c=sum(o.clean_c for o in seen),
        truncated=sum(o.truncated for o in seen),
        in_process=any(o.in_process for o in seen),
        adoptions=tuple(adoption for o in seen for adoption in o.adoptions),
        self_edited=not others,
    )
    clean, own = (observation.clean_n, observation.clean_c), (observation.n, observation.c)
    observation = replace(observation, status=status(cell, clean, own, solved_at))
    return replace(found[0], observation=observation)
