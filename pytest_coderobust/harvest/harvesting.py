"""The harvest of a package: its functions, their calls, drafts, and the proof of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_coderobust.harvest.children import CallRecording, Probed, probe_module, record_calls
from pytest_coderobust.harvest.complaints import check_recording
from pytest_coderobust.harvest.drafts import HarvestDraft, choose_cases
from pytest_coderobust.harvest.functions import HarvestFunction, LeftOut, find_functions
from pytest_coderobust.harvest.machine_reads import find_machine_read
from pytest_coderobust.harvest.modules import SourceModule, find_modules
from pytest_coderobust.harvest.names import find_statement_names
from pytest_coderobust.harvest.origin import HarvestOrigin, find_origin
from pytest_coderobust.harvest.prompting import HarvestPrompt, UnfitFunction, compose_prompt
from pytest_coderobust.harvest.proving import HarvestProver
from pytest_coderobust.harvest.recounting import recount_branches
from pytest_coderobust.records import ApiChange
from pytest_coderobust.sandbox.calibration import JudgeAll

MOST_PROMPT = 20_000
"""Characters of a prompt, at most."""
NOT_AGAIN = "its cases could not be run once more to count their branches"


@dataclass(frozen=True, slots=True)
class HarvestPlan:
    """A wish for tasks.

    Attributes:
        package: a package, a part of one, or a module, by its full name.
        tests: paths for pytest.
        only: patterns of functions' full names; empty for all.
        longest: characters of a prompt, at most.
        options: for pytest, which gets none of the project's own.
    """

    package: str
    tests: tuple[Path, ...] = ()
    only: tuple[str, ...] = ()
    seed: int = 0
    longest: int = MOST_PROMPT
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Harvest:
    """The tasks of a package, and what became of its other functions.

    Attributes:
        weak: functions whose tests cannot tell right from wrong.
        left_out: the other functions, each with the reason.
        unreadable: modules that are no Python of this version.
    """

    plan: HarvestPlan
    origin: HarvestOrigin
    tasks: tuple[HarvestDraft, ...]
    weak: tuple[LeftOut, ...]
    left_out: tuple[LeftOut, ...]
    recording: CallRecording
    unreadable: tuple[str, ...] = ()


def harvest_package(
    plan: HarvestPlan, judges: tuple[JudgeAll, JudgeAll], tell: Callable[[str], None]
) -> Harvest:
    """Harvests a package.

    Args:
        judges: two, none of which remembers what the other one judged.

    Raises:
        UsageError: there is no such package.
        DataError: the tests did not run, ended their process, or called nothing.
        SandboxError: the harness failed.
    """
    source = find_modules(plan.package)
    modules = source.modules
    origin = find_origin(plan.package)
    functions, left_out = find_functions(modules)
    functions = [each for each in functions if _is_wanted(each.full_name, plan.only)]
    left_out = [each for each in left_out if _is_wanted(each.name, plan.only)]
    tell(f"{len(functions)} functions with a docstring in {len(modules)} modules")
    composed, unfit = _compose(functions, plan)
    with TemporaryDirectory(prefix="coderobust-harvest-") as place:
        folder = Path(place)
        recording = record_calls(list(composed), plan.tests, folder, plan.options)
        check_recording(recording, whole=not plan.only)
        tell(_describe(recording))
        probed = _probe(list(composed), recording, _find_home(modules), plan, folder, tell)
    drafts: list[HarvestDraft] = []
    for function, prompts in composed.items():
        found = probed[function.full_name]
        if found.reason:
            unfit.append(LeftOut(function.full_name, found.reason))
        else:
            drafts.append(_make_draft(function, prompts, found, origin))
    prover = HarvestProver(judges, origin.packages, tell)
    proved = prover.prove(drafts)
    with TemporaryDirectory(prefix="coderobust-harvest-") as place:
        tasks, lost = recount_branches(proved, _find_home(modules), Path(place))
    unfit += [LeftOut(each.function.full_name, NOT_AGAIN) for each in lost]
    unfit += [LeftOut(*each) for each in prover.left_out.items()]
    weak = tuple(LeftOut(*each) for each in prover.weak.items())
    left = (*left_out, *unfit)
    return Harvest(plan, origin, tuple(tasks), weak, left, recording, source.unreadable)


def _is_wanted(name: str, patterns: Sequence[str]) -> bool:
    from fnmatch import fnmatchcase

    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _compose(
    functions: Sequence[HarvestFunction], plan: HarvestPlan
) -> tuple[dict[HarvestFunction, tuple[HarvestPrompt, ...]], list[LeftOut]]:
    """Composes the prompts of functions, in one form or two."""
    names = cache(find_statement_names)
    found: dict[HarvestFunction, tuple[HarvestPrompt, ...]] = {}
    unfit: list[LeftOut] = []
    for function in functions:
        forms = (True, False) if function.node.decorator_list or function.owner else (True,)
        prompts: list[HarvestPrompt] = []
        why = "its prompt would be too long"
        for form in forms:
            try:
                prompts.append(compose_prompt(function, names, first=form))
            except UnfitFunction as reason:
                why = str(reason)
        short: tuple[HarvestPrompt, ...] = tuple(
            each for each in prompts if len(each.prompt) <= plan.longest
        )
        read = find_machine_read(short[0].prompt + short[0].canonical) if short else ""
        if read:
            unfit.append(
                LeftOut(function.full_name, f"it reads the interpreter or machine ({read})")
            )
        elif short:
            found[function] = short
        else:
            unfit.append(LeftOut(function.full_name, why))
    return found, unfit


def _describe(recording: CallRecording) -> str:
    seen = sum(len(calls) for calls in recording.calls.values())
    called = sum(bool(calls) for calls in recording.calls.values())
    tests = "" if recording.status is None else f", tests with exit status {recording.status}"
    return f"{recording.doctests} examples run{tests}: {seen} calls of {called} functions recorded"


def _find_home(modules: Sequence[SourceModule]) -> str:
    """The package's folder, with what files in it begin with, or its one file."""
    first = modules[0].path
    return f"{first.parent}/" if len(modules) > 1 or first.name == "__init__.py" else str(first)


def _probe(
    functions: Sequence[HarvestFunction],
    recording: CallRecording,
    home: str,
    plan: HarvestPlan,
    folder: Path,
    tell: Callable[[str], None],
) -> dict[str, Probed]:
    """Probes functions, module by module; by full name."""
    groups: dict[str, list[HarvestFunction]] = {}
    for each in functions:
        groups.setdefault(each.module.name, []).append(each)
    found: dict[str, Probed] = {}
    for name, own in groups.items():
        probed = probe_module(own, recording, home, plan.seed, folder)
        found.update({each.full_name: probed[each.qualname] for each in own})
        usable = sum(not each.reason for each in probed.values())
        tell(f"{name}: {usable} of {len(own)} functions have tests")
    return found


def _make_draft(
    function: HarvestFunction,
    prompts: tuple[HarvestPrompt, ...],
    probed: Probed,
    origin: HarvestOrigin,
) -> HarvestDraft:
    cases, others = choose_cases(probed.cases)
    removed = f"{function.module.name}.{function.owner or function.name}"
    names = () if origin.hidden else (removed, *probed.aliases)
    changes = tuple(ApiChange(name) for name in dict.fromkeys(names))
    return HarvestDraft(function, prompts, cases, others, changes)
