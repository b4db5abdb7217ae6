"""The recorder of calls, in a process of its own: it watches every call there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
from pytest_coderobust.harvest.recorder import CallRecorder, start_recording
import watched

def line(name):
    return getattr(watched, name).__code__.co_firstlineno

places = {(watched.__file__, line(name)): "" for name in
          ("add", "grow", "fail", "yields", "deep", "usual", "opaque", "rest")}
places[watched.__file__, watched.Box.put.__code__.co_firstlineno] = "Box"
recorder = CallRecorder(places)
start_recording(recorder)
watched.run()
sys.settrace(None)
found = {code: list(seen.values()) for (_, code), seen in recorder.found.items()}
names = {line(name): name for name in ("add", "grow", "fail", "yields", "deep", "usual", "opaque", "rest")}
print(json.dumps({names.get(at, "put"): seen for at, seen in found.items()}))
print(json.dumps([list(told) for told in recorder.refused.values()]))
"""
WATCHED = """
MARK = object()

def add(a, b=2):
    return a + b

def grow(items):
    items.append(9)
    return None

def fail(x):
    raise ValueError(x)

def yields(n):
    for at in range(n):
        yield at

def deep(n):
    return n and deep(n - 1)

def usual(x, mark=MARK):
    return x is mark

def opaque(x):
    return 1

def rest(*args, key=None, **more):
    return args

class Box:
    def __init__(self):
        self.held = [1]
    def put(self, x):
        self.held.append(x)
        return len(self.held)

class Odd(Box):
    pass

def run():
    add(1); add(1); add(3, b=4)
    grow([1])
    try:
        fail(7)
    except ValueError:
        pass
    list(yields(2)); deep(2); usual(5)
    opaque(iter([1])); opaque(run)
    rest(1, 2, key=3, other=4)
    Box().put(5); Odd().put(6)
"""


def test_calls_are_recorded_as_they_began_and_with_their_outcome(tmp_path: Path) -> None:
    (tmp_path / "watched.py").write_text(WATCHED)
    (tmp_path / "program.py").write_text(PROGRAM)
    ran = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found, refused = map(json.loads, ran.stdout.splitlines())
    more = {"rest": [], "extra": {}}
    returned = {**more, "outcome": "returned"}
    assert found["add"] == [
        {"named": {"a": 1}, "value": 3, **returned},
        {"named": {"a": 3, "b": 4}, "value": 7, **returned},
    ]
    assert found["grow"] == [{"named": {"items": [1]}, "value": None, **returned}]
    assert found["fail"] == [{"named": {"x": 7}, **more, "outcome": "raised"}]
    assert [each["named"] for each in found["yields"]] == [{"n": 2}]
    assert [(each["named"]["n"], each["value"]) for each in found["deep"]] == [
        (2, 0), (1, 0), (0, 0)
    ]  # fmt: skip
    assert [each["named"] for each in found["usual"]] == [{"x": 5}]
    assert found["opaque"] == []
    assert found["rest"][0]["rest"] == [1, 2]
    assert (found["rest"][0]["named"], found["rest"][0]["extra"]) == ({"key": 3}, {"other": 4})
    assert found["put"] == [{"named": {"x": 5}, "state": {"held": [1]}, "value": 2, **returned}]
    assert refused == [["list_iterator", "builtins.function"], ["an object of Odd"]]
