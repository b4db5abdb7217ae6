"""Child process that extends recorded calls by drawn ones, comparing with the original.

    python -m pytest_coderobust.harvest.probing REQUEST.json

The request has "module", "path", "home", "seed" and "functions" ({"name", "lines", "calls"}), or
"replay" (cases by function), or "recount" ({"name", "lines", "cases"}), and "out", the file to
which a line goes for each function as soon as it is done.
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from pytest_coderobust.harvest.aliases import find_aliases
from pytest_coderobust.harvest.barrier import Barrier
from pytest_coderobust.harvest.body_coverage import BodyCoverage
from pytest_coderobust.harvest.cases import decode_case, encode_case, write_state
from pytest_coderobust.harvest.extending import CallExtender
from pytest_coderobust.harvest.objects import find_original
from pytest_coderobust.harvest.observing import UnusableCallError, observe, repeat_call
from pytest_coderobust.harvest.shifting import shift_clock
from pytest_coderobust.harvest.spelling import write_value

ProbedFunction = dict[str, Any]


def main(path: str) -> None:
    """Answers a request."""
    request = json.loads(Path(path).read_text(encoding="utf-8"))
    with Path(request["out"]).open("a", encoding="utf-8") as out:
        if "replay" in request:
            shift_clock()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = import_module(request["module"])
        if "replay" in request:
            replay(module, request, out)
        elif "recount" in request:
            recount(module, request, out)
        else:
            probe(module, request, out)


def probe(module: Any, request: ProbedFunction, out: TextIO) -> None:
    """Extends the calls of each function of a module."""
    barrier, coverage = Barrier(), BodyCoverage(request["path"])
    for function in request["functions"]:
        _say(out, {"begins": function["name"]})
        original = find_original(module, function["name"])
        if original is None:
            _say(
                out, {"name": function["name"], "reason": "another object has its name at run time"}
            )
            continue
        extender = CallExtender(original, barrier, coverage, request["home"], function["lines"])
        try:
            answer = extender.extend(function["calls"], f"{request['seed']} {function['name']}")
        except Exception as error:  # noqa: BLE001  values and annotations are the package's own
            answer = {"reason": f"its arguments cannot be drawn ({type(error).__name__})"}
        _say(
            out,
            {
                "name": function["name"],
                "aliases": find_aliases(original.shared, function["name"].partition(".")[0]),
                **answer,
            },
        )


def replay(module: Any, request: ProbedFunction, out: TextIO) -> None:
    """Says for each case of each function whether its outcome is the same here; null for none."""
    barrier = Barrier()
    for name, cases in request["replay"].items():
        original = find_original(module, name)
        assert original is not None  # the process before found it
        same: list[bool | None] = []
        for data in cases:
            case = decode_case(data)
            try:
                found = observe(
                    original, case.call, barrier, request["home"], recorded=case.recorded
                )
            except UnusableCallError:
                same.append(None)
                continue
            same.append(spell_outcome(encode_case(found)) == spell_outcome(data))
        _say(out, {"name": name, "same": same})


def recount(module: Any, request: ProbedFunction, out: TextIO) -> None:
    """Counts the branches of each function's body that some cases take together."""
    barrier, coverage = Barrier(), BodyCoverage(request["path"])
    for function in request["recount"]:
        original = find_original(module, function["name"])
        assert original is not None  # the process before found it
        lines = range(function["lines"][0], function["lines"][1] + 1)
        calls = [decode_case(data).call for data in function["cases"]]
        first = coverage.number
        coverage.measure([repeat_call(original, c, barrier, request["home"]) for c in calls], lines)
        found = coverage.count(range(first, coverage.number), lines)
        _say(out, {"name": function["name"], "branches": [found.taken, found.total]})


def spell_outcome(data: ProbedFunction) -> str:
    """Writes an outcome so that equal ones are the same text, whatever the order of their sets."""
    after = None if data["after"] is None else [write_value(each) for each in data["after"]]
    state = None if data["state_after"] is None else write_state(data["state_after"])
    return repr((data["raised"], write_value(data["value"]), after, state))


def _say(out: TextIO, answer: ProbedFunction) -> None:
    out.write(json.dumps(answer) + "\n")
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1])
