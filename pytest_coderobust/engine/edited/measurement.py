"""One suite on a base model and on edited ones: each perturbed prompt on the model that was edited
for its perturbation, each clean prompt on all of them.

The first item that is measured prepares everything under the ledger's lease: the base run, the
requests, the edits, their answers and scores. Every other item, and every other process, reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_coderobust.config.edits import EditConfig, format_stack
from pytest_coderobust.editors.protocol import EditRequest, Weighted
from pytest_coderobust.editors.registry import EditorSpec, SavedSpec
from pytest_coderobust.engine.edited.model_states import Stack, stack_identity
from pytest_coderobust.engine.edited.models import EditedModel, edited_models, record_of
from pytest_coderobust.engine.edited.requests import broken_squares, draw_requests
from pytest_coderobust.engine.edited.setting import EditSetting
from pytest_coderobust.engine.events import Listener
from pytest_coderobust.engine.observations import Answered, Measured
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.outcome import status
from pytest_coderobust.records import Cell, ModelIdentity, Sampling, Square, Task, Variant, digest
from pytest_coderobust.records.editing import dump

REGIME = "regime"


class EditedMeasurement:
    """A suite under measurement, like `Measuring`, with edits.

    Args:
        specs: the stack of editors, the first applied first.
    """

    def __init__(
        self,
        plan: Plan,
        backend: Weighted,
        specs: Stack,
        judge: VerdictStore,
        ledger: Ledger,
        listen: Listener,
    ) -> None:
        self.plan = plan
        self._specs = specs
        self._ledger = ledger
        self._setting = EditSetting(plan, backend, judge, ledger, listen)
        self.base = self._setting.base
        self._wanted: set[Square] = set()
        self._models: dict[str, tuple[EditedModel, ...]] | None = None
        self._unedited: dict[str, str] = {}
        self._notes: list[str] = []
        self.run = digest("regime", self.base.run, *_recipe(self._config, specs, backend))
        facts = {**backend.identity.facts, "edit": format_stack(self._labels)}
        identity = ModelIdentity(backend.identity.name, self.run, facts)
        ledger.describe(self.run, plan.config.name, identity, judge.tier)

    @property
    def sampling(self) -> Sampling:
        return self.plan.config.sampling

    @property
    def saved(self) -> bool:
        """Whether the edit was made before, for whatever requests."""
        return any(isinstance(spec, SavedSpec) for spec in self._specs)

    def want(self, squares: Iterable[Square]) -> None:
        """Says once which squares will be observed."""
        self._wanted = set(squares)
        self._models = None

    def measure(self, task: Task, cell: Cell) -> Measured:
        """Measures one square on the models it is about; the observation is stored.

        Raises:
            ModelError, SandboxError, OracleError, UsageError: the harness failed.
        """
        models = self._of(cell)
        measured = self.base.measure(task, cell)
        if models and measured.observation.measured:
            measured = pooled(task, cell, models, self.plan.config.solved_at)
        seen = measured.perturbed or measured.clean
        self._ledger.observe(
            self.run,
            measured.observation,
            prompt=seen.variant.prompt if seen else "",
            completions=[key for key, _ in seen.completions] if seen else (),
            verdicts=[key for key, _ in seen.verdicts] if seen else (),
        )
        return measured

    def answer(self, variant: Variant) -> Answered:
        """Answers and judges one variant with the model edited for its perturbation; a prompt of
        no perturbation of the suite with that of the suite's first edit.

        Raises:
            ModelError, SandboxError: the harness failed.
        """
        models = self._of(variant.cell) or self._of(Cell())
        return (models[0].measuring if models else self.base).answer(variant)

    def unavailable(self, variant: Variant) -> str:
        """Why a variant cannot be measured, or ""."""
        return self.base.unavailable(variant)

    def solved(self, answered: Answered) -> bool:
        """Whether at least the share `solved_at` of the samples passes."""
        return self.base.solved(answered)

    def model(self, perturbation: str) -> EditedModel | None:
        """The model that was edited for a perturbation, the first of several; None without one."""
        models = self._prepared(self._columns({Cell(perturbation)})).get(perturbation, ())
        return next((model for model in models if model.final), None)

    def release(self) -> None:
        """Back to the base model."""
        self._setting.bench.release()

    @property
    def _config(self) -> EditConfig:
        return self.plan.config.edit

    @property
    def _labels(self) -> tuple[str, ...]:
        return tuple(spec.label for spec in self._specs)

    def _of(self, cell: Cell) -> tuple[EditedModel, ...]:
        """The edited models that a cell is measured on: of all perturbations for a clean one."""
        prepared = self._prepared(self._columns({cell} | {cell for _, cell in self._wanted}))
        found = prepared.get(cell.perturbation, ())
        if cell.is_clean:
            found = tuple(model for models in prepared.values() for model in models)
        final = {model.recipe.identity.digest: model for model in found if model.final}
        return tuple(final.values())

    def _columns(self, cells: Iterable[Cell]) -> tuple[str, ...]:
        """The perturbations that need an edit; a clean prompt is measured on every one's."""
        names = {cell.perturbation for cell in cells}
        planned = dict.fromkeys(c.perturbation for c in self.plan.cells if not c.is_clean)
        return tuple(name for name in planned if name in names or Cell().perturbation in names)

    def _prepared(self, columns: Sequence[str]) -> Mapping[str, tuple[EditedModel, ...]]:
        done = self._models
        if done is not None and all(name in done for name in columns):
            return done
        with self._ledger.lease():
            made = dict(done or {})
            try:
                left = [name for name in columns if name not in made]
                # The whole base run first, so that the model changes hands as seldom as can be.
                self.base.want([(task, cell) for cell in self._cells(left) for task in self._tasks])
                broken = {name: broken_squares(self.base, name) for name in left}
                for name in left:
                    made[name] = self._edited(name, broken[name])
                self._keep()
            finally:
                self._setting.bench.release()
        self._models = made
        return made

    def _edited(self, name: str, broken: Sequence[Square]) -> tuple[EditedModel, ...]:
        """The models edited for one perturbation, measured and scored."""
        requests: tuple[EditRequest, ...] = ()
        if not self.saved:
            asked = self._config.requests
            requests = draw_requests(self.base, broken, asked, self._config.seed)
            if not requests:
                self._unedited[name] = (
                    f"no eligible request: no task is solved clean and broken under {name}"
                )
                return ()
            if len(requests) < asked:
                self._notes.append(f"{name}: {len(requests)} eligible requests, {asked} asked for")
        models = edited_models(self._setting, self._specs, name, requests)
        squares = [(task, cell) for cell in self._cells([name]) for task in self._tasks]
        whole = self._wanted.issuperset(s for s in squares if not s[1].is_clean)
        wanted = squares if whole else [s for s in squares if s in self._wanted]
        for model in models:
            model.measuring.want(wanted)
            for task, cell in wanted:
                model.measuring.measure(self.plan.tasks[task], cell)
            if whole:
                record = record_of(self._setting, model, squares, broken)
                self._ledger.keep_edit(self.run, f"{name}/{model.number:06}", dump(record))
        return models

    def _cells(self, names: Iterable[str]) -> list[Cell]:
        chosen = {*names, Cell().perturbation}
        return [cell for cell in self.plan.cells if cell.perturbation in chosen]

    @property
    def _tasks(self) -> tuple[str, ...]:
        return tuple(self.plan.tasks)

    def _keep(self) -> None:
        """Says in the ledger how this run's models came about."""
        scored = self._config.scored
        drawn = "greedy" if scored.greedy else f"T={scored.temperature:g}, n={scored.n}"
        body = {
            "base": self.base.run,
            "editors": self._labels,
            "regime": "saved" if self.saved else self._config.regime,
            "requests": self._config.requests,
            "greedy": scored.greedy,
            "drawn": drawn,
            "unedited": self._unedited,
            "notes": self._notes,
        }
        self._ledger.keep_edit(self.run, REGIME, json.dumps(body, sort_keys=True))


def _recipe(config: EditConfig, specs: Stack, base: Weighted) -> list[object]:
    """What decides which edited models a run has, and how they are scored."""
    if any(isinstance(spec, SavedSpec) for spec in specs):
        edits: list[object] = [stack_identity(base, specs, ()).digest]
    else:
        edits = [spec.digest for spec in specs if isinstance(spec, EditorSpec)]
    scored = config.scored
    return [
        edits,
        [config.requests, config.regime, config.seed, list(config.steps), config.placebos],
        [scored.n, scored.temperature, scored.top_p],
    ]


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
