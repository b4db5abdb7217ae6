"""One suite on a base model and on edited ones: each perturbed prompt on the model that was edited
for its perturbation, each clean prompt on all of them.

The first item that is measured prepares everything under the ledger's lease: the base run, the
requests, the edits, their answers and scores. Every other item, and every other process, reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from pytest_coderobust.config.editing import EditConfig, label
from pytest_coderobust.edit_records import EditFacts, EditRecord, Passes, dump, facts_of
from pytest_coderobust.editors.protocol import EditRequest, Weighted
from pytest_coderobust.editors.registry import EditorSpec, SavedSpec
from pytest_coderobust.engine.answers import Answers
from pytest_coderobust.engine.events import Listener
from pytest_coderobust.engine.judging import Judge, passing
from pytest_coderobust.engine.measuring import Answered, Measured, Measuring
from pytest_coderobust.engine.plan import Plan
from pytest_coderobust.engine.recipes import (
    Edit,
    Placebo,
    Recipe,
    Stack,
    Step,
    Succession,
    Unedited,
    stack_identity,
)
from pytest_coderobust.engine.requests import broken_squares, draw_requests, tasks_of
from pytest_coderobust.engine.scoring import Draws, changes, scored_at, trials
from pytest_coderobust.engine.windows import Square
from pytest_coderobust.engine.workbench import Benched, Workbench
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.editing import solved
from pytest_coderobust.records import (
    Cell,
    ModelIdentity,
    Observation,
    Sampling,
    Status,
    Task,
    Variant,
    digest,
)

FACTS = "facts"
REGIME = "regime"


@dataclass(frozen=True, slots=True)
class EditedModel:
    """One edited model of a run.

    Attributes:
        number: its request's place, or the requests so far.
        requests: what it was edited on.
        tasks: the tasks of the requests, and of a saved edit those it names.
    """

    perturbation: str
    number: int
    requests: tuple[EditRequest, ...]
    tasks: tuple[str, ...]
    recipe: Edit | Step
    measuring: Measuring


class Regime:
    """A suite under measurement, like `Measuring`, with edits.

    Args:
        specs: the stack of editors, the first applied first.
    """

    def __init__(
        self,
        plan: Plan,
        backend: Weighted,
        specs: Stack,
        judge: Judge,
        ledger: Ledger,
        listen: Listener,
    ) -> None:
        self.plan = plan
        self._specs = specs
        self._judge = judge
        self._ledger = ledger
        self._listen = listen
        self._bench = Workbench(backend, self._entered)
        self._wanted: set[Square] = set()
        self._models: dict[str, tuple[EditedModel, ...]] | None = None
        self._unedited: dict[str, str] = {}
        self._notes: list[str] = []
        self.base = self._measuring(Unedited(backend.identity), plan.config.name)
        self.run = digest("regime", self.base.run, *_recipe(self._config, specs, backend))
        facts = {**backend.identity.facts, "edit": label(self._labels)}
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
            measured = self._pooled(task, cell, models)
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
        return models[-1 if self._config.regime == "successive" else 0] if models else None

    def release(self) -> None:
        """Back to the base model."""
        self._bench.release()

    @property
    def _config(self) -> EditConfig:
        return self.plan.config.edit

    @property
    def _labels(self) -> tuple[str, ...]:
        return tuple(spec.label for spec in self._specs)

    def _of(self, cell: Cell) -> tuple[EditedModel, ...]:
        """The edited models that a cell is measured on: of all perturbations for a clean one."""
        prepared = self._prepared(self._columns({cell} | {cell for _, cell in self._wanted}))
        final = {
            name: models[-1:] if self._config.regime == "successive" else models
            for name, models in prepared.items()
        }
        if not cell.is_clean:
            return final.get(cell.perturbation, ())
        every = [model for models in final.values() for model in models]
        return tuple({model.recipe.identity.digest: model for model in every}.values())

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
                self._bench.release()
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
        models = self._models_for(name, requests)
        squares = [(task, cell) for cell in self._cells([name]) for task in self._tasks]
        whole = self._wanted.issuperset(s for s in squares if not s[1].is_clean)
        wanted = squares if whole else [s for s in squares if s in self._wanted]
        for model in models:
            model.measuring.want(wanted)
            for task, cell in wanted:
                model.measuring.measure(self.plan.tasks[task], cell)
            if whole:
                record = self._record(model, squares, broken, last=model is models[-1])
                self._ledger.keep_edit(self.run, f"{name}/{model.number:06}", dump(record))
        return models

    def _models_for(self, name: str, requests: tuple[EditRequest, ...]) -> tuple[EditedModel, ...]:
        if self._config.regime == "successive" and not self.saved:
            (spec,) = self._specs
            assert isinstance(spec, EditorSpec)
            steps = sorted({min(step, len(requests)) for step in self._config.steps})
            succession = Succession(spec, requests, self._passing)
            taken = [requests[:step] for step in steps]
            recipes: list[Edit | Step] = [
                Step(succession, len(some), stack_identity(self._bench.base, self._specs, some))
                for some in taken
            ]
        else:
            taken = [(request,) for request in requests] or [()]
            steps = list(range(1, len(taken) + 1))
            recipes = [
                Edit(
                    self._specs,
                    some,
                    stack_identity(self._bench.base, self._specs, some),
                    self._passing,
                )
                for some in taken
            ]
        title = f"{self.plan.config.name}, edited for {name}"
        return tuple(
            EditedModel(
                name,
                number,
                some,
                tasks_of(some) or self._saved_tasks(),
                recipe,
                self._measuring(recipe, title),
            )
            for number, some, recipe in zip(steps, taken, recipes, strict=True)
        )

    def _passing(self, task: Task, completions: Sequence[str]) -> list[bool]:
        """Which completions pass: the suite's own judge, for editors that ask."""
        return passing(self._judge, self.plan.config, task, completions)

    def _saved_tasks(self) -> tuple[str, ...]:
        """The tasks of this suite that a saved edit was made for."""
        from pytest_coderobust.editors.saved import read_record

        named: set[str] = set()
        for spec in self._specs:
            if isinstance(spec, SavedSpec):
                requests = read_record(spec.folder).get("requests")
                for each in requests if isinstance(requests, list) else ():
                    named.add(str(each.get("label")).rpartition("[")[0])
        return tuple(task for task in self._tasks if task in named)

    def _record(
        self,
        model: EditedModel,
        squares: Sequence[Square],
        broken: Sequence[Square],
        *,
        last: bool,
    ) -> EditRecord:
        draws = Draws(
            before=self._scoring(Unedited(self._bench.base.identity), "base", 1),
            control=self._scoring(Unedited(self._bench.base.identity), "base again", 2),
            after=self._scoring(model.recipe, "edited", 2),
            placebos=[
                self._scoring(placebo, "placebo", 2) for placebo in self._placebos(model, last=last)
            ],
            greedy=self._config.scored.greedy,
        )
        own = [square for square in broken if square[0] in model.tasks]
        others = [square for square in broken if square[0] not in model.tasks]
        own_trials, other_trials = trials(draws, self.plan, own, others)
        rest = [square for square in squares if square[0] not in model.tasks]
        changed = tuple(changes(self.base, model.measuring, rest))
        return EditRecord(
            perturbation=model.perturbation,
            number=model.number,
            tasks=model.tasks,
            facts=self._facts(model.recipe),
            own=own_trials,
            trials=other_trials,
            clean=tuple(change for cell, change in changed if cell.is_clean),
            perturbed=tuple(change for cell, change in changed if not cell.is_clean),
        )

    def _placebos(self, model: EditedModel, *, last: bool) -> list[Placebo]:
        """The rotated edits, where the edit is one change of weights; a succession has them at
        its end, where its edits can be taken out.
        """
        single = len(self._specs) == 1 and self._facts(model.recipe).kind == "weights"
        if not single or (isinstance(model.recipe, Step) and not last):
            return []
        return [Placebo(model.recipe, seed) for seed in range(self._config.placebos)]

    def _scoring(self, recipe: Recipe, what: str, draw: int) -> Measuring:
        sampling = scored_at(self._config.scored, self.sampling, draw)
        return self._measuring(recipe, f"{self.plan.config.name}, scoring {what}", sampling)

    def _measuring(self, recipe: Recipe, title: str, sampling: Sampling | None = None) -> Measuring:
        config = replace(self.plan.config, name=title, sampling=sampling or self.sampling)
        answers = Answers(Benched(self._bench, recipe), self._ledger, self._listen)
        check = self.base.selfcheck() if hasattr(self, "base") else None
        plan = replace(self.plan, config=config)
        return Measuring(plan, answers, self._judge, self._ledger, self._listen, check)

    def _pooled(self, task: Task, cell: Cell, models: Sequence[EditedModel]) -> Measured:
        """One square on several models; on those that were not edited on its task, if any."""
        others = [model for model in models if task.id not in model.tasks]
        found = [model.measuring.measure(task, cell) for model in others or models]
        seen = [each.observation for each in found]
        first = seen[0]
        observation = replace(
            first,
            n=sum(o.n for o in seen),
            c=sum(o.c for o in seen),
            clean_n=sum(o.clean_n for o in seen),
            clean_c=sum(o.clean_c for o in seen),
            truncated=sum(o.truncated for o in seen),
            in_process=any(o.in_process for o in seen),
            adoptions=tuple(adoption for o in seen for adoption in o.adoptions),
            self_edited=not others,
        )
        return replace(found[0], observation=replace(observation, status=self._status(observation)))

    def _status(self, o: Observation) -> Status:
        share = self.plan.config.solved_at
        if not solved(Passes(o.clean_n, o.clean_c), share):
            return Status.UNSOLVED
        if o.cell.is_clean:
            return Status.SOLVED
        return Status.ROBUST if solved(Passes(o.n, o.c), share) else Status.BROKEN

    def _cells(self, names: Iterable[str]) -> list[Cell]:
        chosen = {*names, Cell().perturbation}
        return [cell for cell in self.plan.cells if cell.perturbation in chosen]

    @property
    def _tasks(self) -> tuple[str, ...]:
        return tuple(self.plan.tasks)

    def _facts(self, recipe: Edit | Step) -> EditFacts:
        """What the edit showed when it was made, in this process or another one."""
        kept = self._ledger.edits(recipe.identity.digest).get(FACTS)
        if kept is None:
            self._bench.hold(recipe)
            kept = self._ledger.edits(recipe.identity.digest)[FACTS]
        return facts_of(json.loads(kept))

    def _entered(self, recipe: Edit | Step) -> None:
        """Remembers what an edit showed the first time."""
        assert recipe.facts is not None
        if FACTS not in self._ledger.edits(recipe.identity.digest):
            body = json.dumps(asdict(recipe.facts))
            self._ledger.keep_edit(recipe.identity.digest, FACTS, body)

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
