"""Runs the code of a candidate before the first check, so that forks copy fewer pages.

A fork copies each page that it writes to. Code that has run in the zygote is specialised, its
attribute lookups are cached and its libraries are bound, once for all forks to come.
"""

from __future__ import annotations

import _socket
import sys
from signal import ITIMER_PROF, setitimer

from pytest_coderobust.sandbox.cage.candidate import MODULE, serve
from pytest_coderobust.sandbox.cage.frames import send
from pytest_coderobust.sandbox.cage.limits import CageLimits

ROUNDS = 16  # the interpreter specialises what has run eight times
LIMITS = CageLimits(1.0, 1.0, 1.0, 1 << 30, 1 << 16)
REQUEST = {
    "source": (
        "import math\n"
        "def solution(values, text='a', *more):\n"
        "    out = [value for value in values if value]\n"
        "    for at, value in enumerate(values):\n"
        "        if at % 2 == 0 and value > 1:\n"
        "            out.append(value * 2)\n"
        "    return sorted(out), {text: len(text)}, math.sqrt(4.0)\n"
    ),
    "entry_point": "solution",
    "calls": [
        {"args": [[3, 0, 2], "word"]},
        {"args": [{"tuple": [1, 2.5]}], "kwargs": {"dict": [["text", "b"]]}},
        {"args": [None]},
    ],
}


def practise() -> None:
    """Serves a solution of our own a few times, as a candidate's process would."""
    for _ in range(ROUNDS):
        ours, theirs = _socket.socketpair()
        send(ours.fileno(), REQUEST, LIMITS.wire_bytes)
        serve(theirs.fileno(), LIMITS, None)
        ours.close()
        theirs.close()
    setitimer(ITIMER_PROF, 0)  # the timer of a call is a candidate's, not the zygote's
    del sys.modules[MODULE]
