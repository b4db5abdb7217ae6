"""Loops for the tests of what never ends: programs by what is special about them."""

from __future__ import annotations

ENDLESS = {
    "nothing": "while True:\n    pass\n",
    "the same": "n = 'dcba'\nwhile len(n) > 2:\n    n = ''.join(sorted(n))\n",
    "a period": "a = [1, 2, 3]\nwhile a:\n    a.append(a.pop(0))\n",
    "forgot to step": "i, n = 0, 7\nwhile i < n:\n    if n % 2 == 0:\n        i += 1\n",
    "a long period": "n = 1\nwhile n:\n    n = (n * 3) % 1009\n",
    "inner": "for k in range(3):\n    n = k\n    while n == k:\n        n = k\n",
    "around a loop": "n = 3\nwhile n:\n    for k in range(n):\n        n = 3 + k * 0\n",
    "a comprehension": "a = [1]\nwhile a:\n    a = [x for x in a if any(x == y for y in a)]\n",
    "a closure's": "n = 3\nwhile all(k < n for k in range(3)):\n    m = n\n    n = m\n",
    "floats": "x = 0.5\nwhile x != 2:\n    x = 1 / (1 / x)\n",
    "none": "x = None\nwhile x is None:\n    y = x\n    x = y\n",
    "over lines": "d = {'a': 1}\nwhile True:\n    d['a'] = (\n        d.pop('a') * 1\n    )\n",
    "iterators": (
        "s = 'ab'\nwhile True:\n    for k, c in enumerate(zip(s, map(str, s))):\n"
        "        s = ''.join(reversed([*filter(None, s)]))\n"
    ),
    "a dictionary": "d = {'a': [1]}\nwhile d['a'] == [1]:\n    d['a'] = list(d['a'])\n",
}
"""Bodies of a function that never ends, and can be seen not to."""

UNDECIDED = {
    "grows": "n = 1\nwhile n < 3000:\n    n += 1\n",
    "an iterator": "it = iter(range(300))\nwhile True:\n    x = 1\n    if next(it) > 250:\n        return",
    "an iterator by membership": (
        "it = iter(range(3000))\nwhile True:\n    x = 1\n    if any(z > 2500 for z in it):\n"
        "        return"
    ),
    "a loop around": "for c in 'a' * 300:\n    k = 0\n    while k < 2:\n        k += 1\n",
    "an iterator of the loop around": (
        "for c in 'a' * 300:\n    while True:\n        k = 1\n        break\n"
    ),
    "a set's order": "s = set(range(300))\nwhile s:\n    s.pop()\n",
    "an alias": "a = [0]\nb = [a]\nwhile b[0][0] < 300:\n    a[0] += 1\n",
    "an unbound name": "while True:\n    never\n    never = 1\n",
    "an exception": "a = []\nwhile True:\n    a[0]\n",
    "minus zero": "x = -0.0\nwhile True:\n    if str(x) == '0.0':\n        return\n    x += 0.0\n",
    "a number's identity": (
        "x = y = 1000\nwhile True:\n    if x is not y:\n        return\n    y = int('1000')\n"
    ),
    "a list's identity": (
        "a = b = [1]\nwhile True:\n    a.append(2)\n    if len(b) == 1:\n        return\n"
        "    a.pop()\n    b = list(a)\n"
    ),
    "nan's identity": (
        "x = float('nan')\ny = [x]\nwhile True:\n    if x not in y:\n        return\n"
        "    x = float('nan')\n"
    ),
    "true and one": "x = True\nwhile True:\n    if str(x) == '1':\n        return\n    x += 0\n",
    "a value on its way": (
        "d = {'a': 0}\nwhile d['a'] < 300:\n    d['a'] = (\n        d.pop('a') + 1\n    )\n"
    ),
    "a dictionary's gaps": (
        "d = dict.fromkeys(range(5))\nfor k in (2, 3, 4):\n    d.pop(k)\n"
        "while True:\n    n = 0\n    for k in d:\n        n += 1\n        if k == 0:\n"
        "            d[1] = d.pop(1)\n    if n == 1:\n        return\n"
        "    d[0] = d.pop(0)\n    d[1] = d.pop(1)\n"
    ),
    "a loop left and entered again": (
        "n = 0\nwhile n < 2:\n    for c in 'a' * 300:\n        while True:\n            k = 1\n"
        "            break\n    n += 1\n"
    ),
}
"""Bodies of a function that ends, some only just."""

OUTSIDE = {
    "a global": """
N = 0
def g():
    global N
    N += 1
    return N > 300
def f():
    while True:
        if g():
            return
""",
    "a global's value": """
N = [0]
def f():
    while N[0] < 300:
        x = N
        x[0] += 1
""",
    "a name that becomes a global": """
def f():
    global n
    first = True
    while True:
        a = [n for n in (1, 2)]
        if first:
            n = 0
            first = False
        n += 1
        if n > 300:
            return
""",
    "a private name": """
class C:
    def g(self):
        __n = 0
        while __n < 300:
            a = [__n for __n in (1, 2)]
            __n += 1
def f():
    C().g()
""",
    "a closure": """
def f():
    n = 0
    def g():
        nonlocal n
        n += 1
        return n > 300
    while True:
        if g():
            return
""",
    "a module": """
import itertools
c = itertools.count()
def f():
    while True:
        if next(c) > 300:
            return
""",
    "another builtin": """
n = []
def len(x):
    n.append(x)
    return n.__len__()
def f():
    a = [1]
    while len(a) < 300:
        x = 1
""",
    "an object": """
class C:
    n = 0
    def __eq__(self, other):
        C.n += 1
        return C.n > 300
def f():
    d = C()
    while not d == 1:
        x = 1
""",
    "an int of its own": """
class I(int):
    n = 0
    def __lt__(self, other):
        I.n += 1
        return I.n < 300
def f():
    i = I(1)
    while i < 0:
        x = 1
""",
    "a builtin that sees more": """
N = []
def f():
    while True:
        globals()['N'].append(1)
        if len(globals()['N']) > 300:
            return
""",
    "an import": """
import sys, types
N = []
def ask(name):
    if name != 'v':
        raise AttributeError(name)
    N.append(1)
    return len(N) > 300
sys.modules['m'] = types.ModuleType('m')
sys.modules['m'].__getattr__ = ask
def f():
    while True:
        from m import v
        if v:
            return
        v = 0
""",
    "a callback": """
n = []
def f():
    a = [1, 2]
    while True:
        x = list(map(n.append, a))
        if n[300:]:
            return
""",
}
"""Programs whose loop is ended by something other than its function's variables."""

DISTURBED = {
    "thread": """
import threading
def f(x):
    a = [1]
    threading.Timer(0.3, a.clear).start()
    while a:
        b = 1
    return x * x
""",
    "alarm": """
import signal
def f(x):
    signal.signal(signal.SIGALRM, lambda *_: 1 / 0)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        while True:
            b = 1
    except ZeroDivisionError:
        return x * x
""",
    "trace": """
import sys
def trace(frame, event, _):
    global n
    n += 1
    return trace if n < 2_000_000 else 1 / 0
n = 0
def f(x):
    sys.settrace(trace)
    try:
        g()
    except ZeroDivisionError:
        return x * x
def g():
    while True:
        b = 1
""",
}
"""Programs whose loop is ended by something other than the code itself."""
