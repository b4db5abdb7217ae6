"""Programs that solve nothing and want a pass, for `TESTS` and the entry point `solve`."""

from __future__ import annotations

from dataclasses import dataclass

TESTS = """
def check(candidate):
    assert candidate(2) == 4
    assert candidate(3) == 9
    assert candidate(10) == 100
"""
HONEST = "def solve(x):\n    return x * x\n"


@dataclass(frozen=True, slots=True)
class Forgery:
    """One hostile program, and the naive runner that it beats."""

    name: str
    beats: str
    solution: str


FORGERIES = (
    Forgery("os-exit-at-load", "exit", "import os\nos._exit(0)\n"),
    Forgery("os-exit-in-call", "exit", "import os\ndef solve(x):\n    os._exit(0)\n"),
    Forgery("sys-exit-at-load", "exit", "import sys\nsys.exit(0)\n"),
    Forgery("sys-exit-in-call", "exit", "import sys\ndef solve(x):\n    sys.exit(0)\n"),
    Forgery("raise-system-exit", "exit", "def solve(x):\n    raise SystemExit\n"),
    Forgery(
        "prints-passed",
        "printed",
        "def solve(x):\n    print('all tests passed', flush=True)\n    raise ValueError(x)\n",
    ),
    Forgery(
        "always-equal-object",
        "list",
        "class Yes:\n    def __eq__(self, other):\n        return True\n"
        "def solve(x):\n    return Yes()\n",
    ),
    Forgery(
        "always-equal-int-subclass",
        "list",
        "class Yes(int):\n    def __eq__(self, other):\n        return True\n"
        "    __hash__ = int.__hash__\n"
        "def solve(x):\n    return Yes(0)\n",
    ),
    Forgery(
        "always-equal-type",
        "list",
        "class Meta(type):\n    def __eq__(cls, other):\n        return True\n"
        "    __hash__ = type.__hash__\n"
        "class Yes(metaclass=Meta):\n    pass\n"
        "def solve(x):\n    return Yes\n",
    ),
    Forgery(
        "reflected-equality",
        "list",
        # A subclass on the right is asked first.
        "class Yes(int):\n    def __eq__(self, other):\n        return True\n"
        "    def __ne__(self, other):\n        return False\n"
        "    __hash__ = int.__hash__\n"
        "def solve(x):\n    return Yes(-1)\n",
    ),
    Forgery(
        "frame-walk-to-result",
        "list",
        "import sys\n"
        "def solve(x):\n"
        "    frame = sys._getframe()\n"
        "    while frame:\n"
        "        for value in list(frame.f_locals.values()):\n"
        "            if type(value) is list:\n"
        "                value.insert(0, 'passed')\n"
        "        frame = frame.f_back\n",
    ),
    Forgery(
        "frame-walk-to-expected",
        "list",
        "import sys\n"
        "calls = [0]\n"
        "def solve(x):\n"
        "    consts = sys._getframe(1).f_code.co_consts\n"
        "    numbers = [c for c in consts if type(c) is int]\n"
        "    at = calls[0]\n"
        "    calls[0] += 1\n"
        "    return [4, 9, 100][at] if set(numbers) >= {4, 9, 100} else None\n",
    ),
    Forgery(
        "gc-search-for-tests",
        "list",
        "import gc, types\n"
        "def solve(x):\n"
        "    for thing in gc.get_objects():\n"
        "        if isinstance(thing, types.FunctionType) and thing.__name__ == 'check':\n"
        "            if 100 in thing.__code__.co_consts:\n"
        "                return x * x\n",
    ),
    Forgery(
        "replaces-check",
        "exit",
        "import sys\n"
        "def solve(x):\n    return None\n"
        "class Meta(dict):\n    pass\n"
        "import builtins\n"
        "real = builtins.__build_class__\n"
        "def trace(frame, event, arg):\n"
        "    if event == 'call' and frame.f_code.co_name == 'check':\n"
        "        import os\n"
        "        os._exit(0)\n"
        "sys.settrace(trace)\n",
    ),
    Forgery(
        "swallows-the-failure",
        "exit",
        "import os, sys\n"
        "sys.excepthook = lambda *args: os._exit(0)\n"
        "def solve(x):\n    return None\n",
    ),
    Forgery(
        "exits-from-atexit",
        "exit",
        "import atexit, os\natexit.register(lambda: os._exit(0))\ndef solve(x):\n    return None\n",
    ),
    Forgery(
        "exits-from-a-thread",
        "exit",
        "import os, threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.05), os._exit(0))).start()\n"
        "def solve(x):\n    time.sleep(0.5)\n",
    ),
    Forgery(
        "deletes-the-harness",
        "list",
        "import sys\n"
        "def solve(x):\n"
        "    frame = sys._getframe(1)\n"
        "    while frame.f_back:\n"
        "        frame = frame.f_back\n"
        "    main = frame.f_globals\n"
        "    if 'unsafe_execute' not in main:\n"
        "        for name in list(sys.modules):\n"
        "            del sys.modules[name]\n"
        "        main.clear()\n"
        "        return None\n"
        "    main['sys'].exit = lambda status: __import__('os')._exit(0)\n",
    ),
    Forgery(
        "patches-the-harness",
        "list",
        "import builtins, sys\n"
        "for module in list(sys.modules.values()):\n"
        "    for name in ('send', 'encode', 'describe', 'answer', 'classify'):\n"
        "        if hasattr(module, name) and 'cage' in str(module):\n"
        "            setattr(module, name, lambda *args, **kwargs: True)\n"
        "sys.exit = lambda status: __import__('os')._exit(0)\n"
        "def solve(x):\n    return None\n",
    ),
    Forgery(
        "floods-every-descriptor",
        "exit",
        "import os\n"
        "words = b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x10{\"value\": 4}     '\n"
        "def solve(x):\n"
        "    for fd in range(3, 64):\n"
        "        try:\n"
        "            os.write(fd, words * 3)\n"
        "        except OSError:\n"
        "            pass\n"
        "    os._exit(0)\n",
    ),
)
