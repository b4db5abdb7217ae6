"""Measurement of one suite on a base model and on models edited from it.

A perturbed prompt is measured on the models that were edited for its perturbation, a clean prompt
on all edited models. The first item that is measured prepares everything under the ledger's lease:
the base run, the requests, the edits, their answers and scores. Every other item, and every other
process, reads what is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from pytest_coderobust.config.edits import EditConfig, format_stack
from pytest_coderobust.editors.protocol import EditRequest, Weighted
from pytest_coderobust.editors.registry import EditorSpec, SavedSpec
from pytest_coderobust.engine.edited.model_states import Stack, identify_stack
from pytest_coderobust.engine.edited.models import (
    EditedModel,
    make_record,
    plan_models,
    pool_models,
)
from pytest_coderobust.engine.edited.requests import draw_requests, find_broken_squares
from pytest_coderobust.engine.edited.setting import EditSetting
from pytest_coderobust.engine.events import Listener
from pytest_coderobust.engine.observations import Answered, Measured, store_measured
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.verdicts import VerdictStore
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import Cell, ModelIdentity, Sampling, Square, Task, Variant, digest
from pytest_coderobust.records.codec import encode
from pytest_coderobust.records.editing import TracedRequest, dump

EDITED_RUN = "regime"
"""The key under which the ledger keeps how a run's edited models came about."""


class EditedMeasurement:
    """A suite under measurement, as `Measurement`, on edited models.

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
        self._refused: dict[str, tuple[str, ...]] = {}
        self._traced: list[TracedRequest] = []
        self.run = digest("regime", self.base.run, *_list_key_parts(self._config, specs, backend))
        facts = {**backend.identity.facts, "edit": format_stack(self._labels)}
        identity = ModelIdentity(backend.identity.name, self.run, facts)
        ledger.describe(self.run, plan.config.name, identity, judge.tier)

    @property
    def sampling(self) -> Sampling:
        return self.plan.config.sampling

    @property
    def saved(self) -> bool:
        """Whether an edit of the stack was saved earlier, with requests of its own."""
        return any(isinstance(spec, SavedSpec) for spec in self._specs)

    def want(self, squares: Iterable[Square]) -> None:
        """Announces which squares will be observed."""
        self._wanted = set(squares)
        self._models = None

    def measure(self, task: Task, cell: Cell) -> Measured:
        """Measures one square on its edited models; the observation is stored.

        Raises:
            ModelError, SandboxError, OracleError, UsageError: the harness failed.
        """
        models = self._find_models(cell)
        measured = self.base.measure(task, cell)
        if models and measured.observation.measured:
            measured = pool_models(task, cell, models, self.plan.config.solved_at)
        store_measured(measured, self._ledger, self.run)
        return measured

    def answer(self, variant: Variant) -> Answered:
        """Answers and judges one variant with the model edited for its perturbation.

        A prompt of another perturbation is answered by the suite's first edited model.

        Raises:
            ModelError, SandboxError: the harness failed.
        """
        models = self._find_models(variant.cell) or self._find_models(Cell())
        return (models[0].measurement if models else self.base).answer(variant)

    def unavailable(self, variant: Variant) -> str:
        """The reason why a variant cannot be measured, or ""."""
        return self.base.unavailable(variant)

    def solved(self, answered: Answered) -> bool:
        """Whether at least the share `solved_at` of the samples passes."""
        return self.base.solved(answered)

    def model(self, perturbation: str) -> EditedModel | None:
        """The model that was edited for a perturbation, the first if there are several, or None."""
        models = self._prepare_models(self._find_columns({Cell(perturbation)})).get(
            perturbation, ()
        )
        return next((model for model in models if model.final), None)

    def release(self) -> None:
        """Undoes the edit in force, so that the base model is back."""
        self._setting.workbench.release()

    @property
    def _config(self) -> EditConfig:
        return self.plan.config.edit

    @property
    def _labels(self) -> tuple[str, ...]:
        return tuple(spec.label for spec in self._specs)

    def _find_models(self, cell: Cell) -> tuple[EditedModel, ...]:
        """The edited models that a cell is measured on; a clean cell is measured on all of them."""
        prepared = self._prepare_models(
            self._find_columns({cell} | {cell for _, cell in self._wanted})
        )
        found = prepared.get(cell.perturbation, ())
        if cell.is_clean:
            found = tuple(model for models in prepared.values() for model in models)
        final = {model.state.identity.digest: model for model in found if model.final}
        return tuple(final.values())

    def _find_columns(self, cells: Iterable[Cell]) -> tuple[str, ...]:
        """The perturbations that need an edit: those of the cells, or all for a clean cell."""
        names = {cell.perturbation for cell in cells}
        planned = dict.fromkeys(c.perturbation for c in self.plan.cells if not c.is_clean)
        return tuple(name for name in planned if name in names or Cell().perturbation in names)

    def _prepare_models(self, columns: Sequence[str]) -> Mapping[str, tuple[EditedModel, ...]]:
        done = self._models
        if done is not None and all(name in done for name in columns):
            return done
        with self._ledger.lease():
            made = dict(done or {})
            try:
                left = [name for name in columns if name not in made]
                # The whole base run comes first, so that the model is edited as seldom as possible.
                self.base.want(
                    [(task, cell) for cell in self._find_cells(left) for task in self._tasks]
                )
                broken = {name: find_broken_squares(self.base, name) for name in left}
                self.base.tell_threads(self.run)
                for name in left:
                    made[name] = self._edit_for(name, broken[name])
                self._describe_run()
            finally:
                self._setting.workbench.release()
        self._models = made
        return made

    def _edit_for(self, name: str, broken: Sequence[Square]) -> tuple[EditedModel, ...]:
        """Makes, measures and scores the models edited for one perturbation."""
        requests: tuple[EditRequest, ...] = ()
        # A saved edit has requests of its own; any other is made for prompts that the base model
        # breaks on, and without one there is nothing to repair.
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
        planned = plan_models(self._setting, self._specs, name, requests)
        models = self._drop_refused(name, planned)
        squares = [(task, cell) for cell in self._find_cells([name]) for task in self._tasks]
        # Scores are about all tasks. If only some of them are wanted (-k HumanEval/3), models are
        # measured on those alone, and no score is stored.
        whole = self._wanted.issuperset(s for s in squares if not s[1].is_clean)
        wanted = squares if whole else [s for s in squares if s in self._wanted]
        for model in models:
            # One model after the other: each measurement puts its edit in, and a succession takes
            # its next step from the state that the one before has left.
            model.measurement.want(wanted)
            for task, cell in wanted:
                model.measurement.measure(self.plan.tasks[task], cell)
            model.measurement.tell_threads(self.run)
            if whole:
                record = make_record(self._setting, model, squares, broken)
                self._ledger.keep_edit(self.run, f"{name}/{model.number:06}", dump(record))
                about = f"{name}, edit {model.number}"
                self._notes += [f"{about}: {note}" for note in record.facts.notes]
        return models

    def _drop_refused(self, name: str, models: tuple[EditedModel, ...]) -> tuple[EditedModel, ...]:
        """Leaves out the models whose requests the editors refused, and remembers why.

        A succession stays whole as long as one of its requests was edited for.
        """
        facts = [self._setting.read_facts(model.state) for model in models]
        pairs = list(zip(models, facts, strict=True))
        instant = all(model.final for model in models)
        counted = facts if instant else facts[-1:]
        # The last step of a succession tells of every request before it.
        self._traced += [each for one in counted for each in one.traced]
        refused = tuple(reason for each in counted for reason in each.refused)
        if refused:
            self._refused[name] = refused
        if all(each.kind == "none" for each in counted):
            self._unedited[name] = f"every request under {name} was refused: {refused[0]}"
            return ()
        return tuple(model for model, each in pairs if not instant or each.kind != "none")

    def _find_cells(self, names: Iterable[str]) -> list[Cell]:
        chosen = {*names, Cell().perturbation}
        return [cell for cell in self.plan.cells if cell.perturbation in chosen]

    @property
    def _tasks(self) -> tuple[str, ...]:
        return tuple(self.plan.tasks)

    def _describe_run(self) -> None:
        """Stores in the ledger how this run's models came about."""
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
            **({"refused": self._refused} if self._refused else {}),
            **({"traced": encode(self._traced)} if self._traced else {}),
        }
        self._ledger.keep_edit(self.run, EDITED_RUN, json.dumps(body, sort_keys=True))


def _list_key_parts(config: EditConfig, specs: Stack, base: Weighted) -> list[object]:
    """Lists what decides which edited models a run has, and how they are scored."""
    if any(isinstance(spec, SavedSpec) for spec in specs):
        edits: list[object] = [identify_stack(base, specs, ()).digest]
    else:
        edits = [spec.digest for spec in specs if isinstance(spec, EditorSpec)]
    scored = config.scored
    return [
        edits,
        [config.requests, config.regime, config.seed, list(config.steps), config.placebos],
        [scored.n, scored.temperature, scored.top_p],
    ]
