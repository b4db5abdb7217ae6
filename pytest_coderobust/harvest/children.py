"""Child processes of a harvest: one records calls, others observe the original.

The package's code and its tests are the user's own and run with the user's rights, but never in
this process. Nothing that a child says is more than data.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_coderobust.errors import DataError
from pytest_coderobust.harvest.cases import HarvestCase, decode_case, encode_case
from pytest_coderobust.harvest.functions import CodePlace, HarvestFunction

RECORDING_SECONDS = 1800.0
PROBING_SECONDS = 900.0
"""Time for all functions of a module together; a hang of one function ends sooner."""
TOO_LONG = "it took too long"
ELSEWHERE = {"TZ": "AWAY-11:30", "COLUMNS": "41"}
"""Settings of the process that sees outcomes the second time, besides its hash seed."""


@dataclass(frozen=True, slots=True)
class CallRecording:
    """Calls that were seen while doctests and tests ran.

    Attributes:
        calls: by place of the function.
        refused: by place, why calls were not kept, with how many.
        doctests, failed: examples that ran, and those whose output was another.
        status: pytest's exit status; None where no tests were named.
        begun: calls of the functions while pytest ran, recorded or not.
        watching: calls were still told at the end; another tool may take the hook over.
        missing: modules that cannot be imported here, with the exception.
        said: the end of what the process printed.
    """

    calls: Mapping[CodePlace, Sequence[Mapping[str, Any]]]
    refused: Mapping[CodePlace, Mapping[str, int]]
    doctests: int
    failed: int
    status: int | None
    missing: Mapping[str, str]
    begun: int = 0
    watching: bool = True
    said: str = ""


@dataclass(frozen=True, slots=True)
class Probed:
    """A function's cases, or the reason why it has none.

    Attributes:
        aliases: full names of the function under other names than its own.
    """

    reason: str = ""
    cases: tuple[HarvestCase, ...] = ()
    aliases: tuple[str, ...] = ()
    unstable: int = field(default=0)


def record_calls(
    functions: Sequence[HarvestFunction],
    tests: Sequence[Path],
    folder: Path,
    options: Sequence[str] = (),
) -> CallRecording:
    """Records the calls of functions while their doctests and the project's tests run.

    Args:
        options: for pytest, before the paths.

    Raises:
        DataError: the process ended before it could say what it saw.
    """
    out = folder / "calls.json"
    modules = list(dict.fromkeys(each.module.name for each in functions))
    request = {
        "places": [[*each.place, each.owner] for each in functions],
        "modules": modules,
        "tests": [str(path.absolute()) for path in tests],
        "options": list(options),
        "out": str(out),
    }
    said = _run("recording", request, folder, RECORDING_SECONDS, Path.cwd(), "0")
    if not out.is_file():
        raise DataError(f"the tests ended their process: {said.strip()[-300:] or 'no output'}")
    told = json.loads(out.read_text(encoding="utf-8"))
    return CallRecording(
        calls={(file, line): seen for file, line, seen in told["calls"]},
        refused={(file, line): counts for file, line, counts in told["refused"]},
        doctests=told["doctests"],
        failed=told["failed"],
        status=told["status"],
        missing=told["missing"],
        begun=told["begun"],
        watching=told["watching"],
        said=said,
    )


def probe_module(
    functions: Sequence[HarvestFunction],
    recording: CallRecording,
    home: str,
    seed: int,
    folder: Path,
) -> dict[str, Probed]:
    """Extends the recorded calls of a module's functions; each outcome is seen in two processes.

    A function that ends its process is left out, and the others go on without it.

    Args:
        home: the package's folder or file.
    """
    found: dict[str, Probed] = {}
    left = list(functions)
    while left:
        answers, said = _probe_once(left, recording, home, seed, folder)
        begun = [answer["begins"] for answer in answers if "begins" in answer]
        found.update({a["name"]: _read_probed(a) for a in answers if "name" in a})
        left = [each for each in left if each.qualname not in found]
        if left and begun and begun[-1] not in found:
            found[begun[-1]] = Probed(reason=explain_death(said))
            left = [each for each in left if each.qualname != begun[-1]]
        elif left:
            found.update({each.qualname: Probed(reason=_explain_start(said)) for each in left})
            break
    return _replay(functions[0], found, home, folder)


def explain_death(said: str) -> str:
    """Explains why a process did not come back from a function."""
    if said == TOO_LONG:
        return f"it was being called when its module's {PROBING_SECONDS:.0f} seconds were over"
    return "its process ended while it was called"


def _explain_start(said: str) -> str:
    last = (said.strip().splitlines() or ["no output"])[-1]
    return f"its module cannot be loaded by itself ({last.partition(':')[0][:80]})"


def _probe_once(
    functions: Sequence[HarvestFunction],
    recording: CallRecording,
    home: str,
    seed: int,
    folder: Path,
) -> tuple[list[dict[str, Any]], str]:
    module = functions[0].module
    asked = [
        {
            "name": each.qualname,
            "lines": [each.body_lines.start, each.body_lines.stop - 1],
            "calls": list(recording.calls.get(each.place, ())),
        }
        for each in functions
    ]
    request = {"module": module.name, "path": str(module.path), "home": home, "seed": seed}
    return ask({**request, "functions": asked}, folder, "0")


def _replay(
    function: HarvestFunction, found: Mapping[str, Probed], home: str, folder: Path
) -> dict[str, Probed]:
    """Keeps the cases that have the same outcome in a process of another seed, time and place."""
    module = function.module
    cases = {name: [encode_case(c) for c in each.cases] for name, each in found.items()}
    asked = {name: own for name, own in cases.items() if own}
    if not asked:
        return dict(found)
    request = {"module": module.name, "path": str(module.path), "home": home, "replay": asked}
    answers, _ = ask(request, folder, "1")
    same = {answer["name"]: answer["same"] for answer in answers if "name" in answer}
    return {
        name: _keep_same(each, same.get(name, [])) if each.cases else each
        for name, each in found.items()
    }


def _keep_same(probed: Probed, same: Sequence[bool | None]) -> Probed:
    """Keeps cases that were the same; one that was another makes the others a matter of luck."""
    kept = tuple(case for case, equal in zip(probed.cases, same, strict=False) if equal)
    lost = len(probed.cases) - len(kept)
    if not kept or False in same:
        return Probed(reason="its result is not the same in every process", unstable=lost)
    return Probed("", kept, probed.aliases, lost)


def ask(request: Mapping[str, Any], folder: Path, hash_seed: str) -> tuple[list[Any], str]:
    """Asks a child that observes; returns its answers, and the end of what it printed."""
    out = folder / "answers.jsonl"
    out.unlink(missing_ok=True)
    work = folder / f"empty{hash_seed}"
    work.mkdir(exist_ok=True)
    said = _run("probing", {**request, "out": str(out)}, folder, PROBING_SECONDS, work, hash_seed)
    lines = out.read_text(encoding="utf-8").splitlines() if out.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("}")], said


def _read_probed(answer: Mapping[str, Any]) -> Probed:
    if answer.get("reason"):
        return Probed(reason=str(answer["reason"]))
    cases = tuple(map(decode_case, answer["cases"]))
    return Probed("", cases, tuple(answer["aliases"]))


def _run(
    name: str,
    request: Mapping[str, Any],
    folder: Path,
    seconds: float,
    work: Path,
    hash_seed: str,
) -> str:
    """Runs a child to its end, however it comes; returns the end of what it said."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    command = [sys.executable, "-m", f"pytest_coderobust.harvest.{name}", str(path)]
    paths = [each for each in sys.path if each]
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        **(ELSEWHERE if hash_seed != "0" else {}),
    }
    try:
        ended = subprocess.run(  # noqa: S603  our own module
            command,
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return TOO_LONG
    return ended.stdout.decode("utf-8", "replace")[-4000:]
