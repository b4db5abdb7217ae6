"""Practice before the first check: what a fork does for the first time, it does on copied pages.

Every check forks the zygote as it is. Code that has run before is specialised, its attribute
lookups are cached and its libraries are bound, once for all forks to come.
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
    """Lives a candidate's life a few times, on a solution of our own."""
    for _ in range(ROUNDS):
        ours, theirs = _socket.socketpair()
        send(ours.fileno(), REQUEST, LIMITS.wire_bytes)
        serve(theirs.fileno(), LIMITS, None)
        ours.close()
        theirs.close()
    setitimer(ITIMER_PROF, 0)  # the timer of a call is a candidate's, not the zygote's
    del sys.modules[MODULE]
