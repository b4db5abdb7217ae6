"""Fine-tuning of a model on rows: begun, gone on with after a kill, and written as a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from pytest_coderobust.errors import CodeRobustError
from pytest_coderobust.models.checkpoint import stored_dtype
from pytest_coderobust.models.fingerprint import weights_digest
from pytest_coderobust.models.folders import TRAINING_FILE
from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.training.base import MASTER, find_pad, load_base
from pytest_coderobust.training.encoding import encode_material
from pytest_coderobust.training.material import BARE, Material
from pytest_coderobust.training.output import TrainingFolder, TrainingPlan
from pytest_coderobust.training.processes import count_processes, is_main_process
from pytest_coderobust.training.settings import TrainingSettings

if TYPE_CHECKING:
    from pytest_coderobust.training.trainer import TrainingListener

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FinetuneRequest:
    """A wish for a training.

    Attributes:
        backend: the base model, which need not be loaded; `require_trainable` has seen it.
        threads: processor threads; None leaves the choice to torch. One thread makes the same
            weights in every run on the same machine.
    """

    backend: HFBackend
    material: Material
    settings: TrainingSettings
    out: Path
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Finetuned:
    """A training that ended.

    Attributes:
        loss: the mean loss of the last steps that were logged together.
        rows: the rows that were trained on.
        too_long: rows that were left out for their length.
        resumed: the step that it went on from; 0 for one that began anew.
        broken: the checkpoints that had not been written whole, and were deleted.
        already: nothing was done, since this very training had ended here before.
    """

    steps: int
    loss: float
    rows: int
    too_long: int = 0
    resumed: int = 0
    broken: tuple[str, ...] = ()
    already: bool = False


@dataclass(frozen=True, slots=True)
class _Start:
    finished: bool
    checkpoint: Path | None = None
    broken: tuple[str, ...] = ()


def finetune(request: FinetuneRequest, listen: TrainingListener) -> Finetuned:
    """Trains a model and writes it as a checkpoint, or its adapter.

    A training that was killed goes on from its newest whole checkpoint.

    Raises:
        UsageError: the folder holds another training, another process trains into it, it cannot
            be written, or processes cannot share a step.
        DataError: no row is short enough.
        ModelError: the base cannot be loaded.
    """
    import torch
    from transformers import set_seed

    from pytest_coderobust.training.trainer import TrainingVoice, make_arguments, make_trainer
    from pytest_coderobust.training.writing import write_model

    settings, backend = request.settings, request.backend
    folder, plan = TrainingFolder(request.out), make_plan(request)
    if request.threads is not None:
        torch.set_num_threads(request.threads)
    with ExitStack() as stack, quiet():
        rows, too_long = encode_material(request.material, backend, settings.max_tokens)
        arguments = make_arguments(len(rows), settings, folder, backend.device)
        _agree(lambda: folder.claim(stack))
        start = _agree(lambda: _start(folder, plan))
        if start.finished:
            return _recall(request.out)
        set_seed(settings.seed)
        model = load_base(backend, settings.lora)
        row_tokens = sum(len(row.ids) for row in rows) / len(rows)
        voice = TrainingVoice(folder, listen, row_tokens, settings.batch * settings.accumulate)
        trainer = make_trainer(
            model, rows, arguments, voice, mean=settings.mean, token=find_pad(backend)
        )
        newest = start.checkpoint
        trainer.train(resume_from_checkpoint=str(newest) if newest else None)
        writing = _agree(folder.open_writing)
        with folder.refusing():
            write_model(trainer, backend, writing)
        done = Finetuned(
            steps=trainer.state.global_step,
            loss=voice.losses[-1]["loss"] if voice.losses else float("nan"),
            rows=len(rows),
            too_long=too_long,
            resumed=int(newest.name.rpartition("-")[2]) if newest else 0,
            broken=start.broken,
        )
        _agree(lambda: folder.finish(make_facts(request, plan, done, voice.losses)))
    return done


def make_plan(request: FinetuneRequest) -> TrainingPlan:
    """Makes all that decides the weights, as JSON has it."""
    backend, material = request.backend, request.material
    plan = {
        "base": {
            # A path would tell a reader about the machine, not about the model.
            "name": Path(backend.name).name if Path(backend.name).is_dir() else backend.name,
            "weights": weights_digest(backend.checkpoint),
            "digest": backend.checkpoint_digest,
        },
        "data": {"name": material.name, "digest": material.digest},
        "template": backend.spec.template or BARE,
        "chat": backend.spec.chat or material.is_chat,
        "settings": _list_deciding(request.settings),
    }
    return cast("dict[str, object]", json.loads(json.dumps(plan)))


def _list_deciding(settings: TrainingSettings) -> dict[str, object]:
    """Lists the settings that decide the weights: not how often they are saved."""
    found = asdict(settings)
    del found["save_every"]
    if not settings.epochs:
        del found["epochs"]
    return found


def make_facts(
    request: FinetuneRequest,
    plan: TrainingPlan,
    done: Finetuned,
    losses: Sequence[Mapping[str, float]],
) -> Mapping[str, object]:
    """Makes the content of `coderobust-training.json`."""
    from pytest_coderobust.training.writing import list_versions

    backend, settings = request.backend, request.settings
    stored = stored_dtype(backend.checkpoint)
    return {
        "format": "coderobust training, 1",
        "base": plan["base"],
        "data": {
            **cast("dict[str, object]", plan["data"]),
            "rows": done.rows,
            "perturbations": request.material.noise,
        },
        "too_long": done.too_long,
        "template": plan["template"],
        "chat": plan["chat"],
        "plan": plan,
        "precision": {
            "trained": MASTER,
            "products": MASTER if backend.device == "cpu" else "bfloat16",
            "saved": MASTER if settings.lora else stored,
            "base": stored,
        },
        "processes": count_processes(),
        "steps": done.steps,
        "loss": {"first": losses[0]["loss"] if losses else None, "last": done.loss},
        "versions": list_versions(),
    }


def _start(folder: TrainingFolder, plan: TrainingPlan) -> _Start:
    """Finds out where to start; only the main process looks and cleans up."""
    if folder.is_finished(plan):
        folder.clear()
        return _Start(finished=True)
    folder.begin(plan)
    return _Start(False, *folder.find_whole())


def _agree(decide: Callable[[], T]) -> T:
    """Has the main process decide, and every other take its decision or its error."""
    from torch import distributed

    if not distributed.is_initialized():
        return decide()
    outcome: list[object] = [None, None]
    if is_main_process():
        try:
            outcome[0] = decide()
        except CodeRobustError as error:
            outcome[1] = error
    distributed.broadcast_object_list(outcome, src=0)
    if isinstance(outcome[1], CodeRobustError):
        raise outcome[1]
    return cast("T", outcome[0])


def _recall(out: Path) -> Finetuned:
    """The training that ended in a folder before."""
    facts = json.loads((out / TRAINING_FILE).read_bytes())
    return Finetuned(
        steps=facts["steps"],
        loss=facts["loss"]["last"],
        rows=facts["data"]["rows"],
        too_long=facts["too_long"],
        already=True,
    )
