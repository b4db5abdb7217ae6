"""Programs that harm, spy, hang or stay, each as a `solve(x)` with its targets as constants.

Constants that a stage puts in front: ROOT (a folder with canaries, open to everybody), PID (a
canary process), PORT (a TCP and UDP listener on this host).

    touch    changes something outside: a file, a process, a listener, or leaves a process behind
    steal    returns a secret of its surroundings
    exhaust  returns how much of something it got
    hang     never ends by itself
    leave    leaves a message that a second program finds
    flood    writes without end to whatever is open
"""

from __future__ import annotations

from dataclasses import dataclass

SECRET = "canary-secret"
LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None)\n"


@dataclass(frozen=True, slots=True)
class Attack:
    """One hostile program; `then` is what a second check runs after a "leave"."""

    name: str
    kind: str
    solution: str
    then: str = ""


def body(*lines: str, head: str = "import os") -> str:
    """A program whose `solve` runs these lines and returns None."""
    return head + "\ndef solve(x):\n" + "".join(f"    {line}\n" for line in lines)


TOUCH = {
    "delete-file": body("os.unlink(ROOT + '/delete.txt')"),
    "delete-by-ctypes": body("libc.unlink((ROOT + '/delete.txt').encode())", head=LIBC),
    "truncate-file": body("open(ROOT + '/text.txt', 'w').close()"),
    "truncate-by-call": body("os.truncate(ROOT + '/text.txt', 0)"),
    "append-to-file": body("open(ROOT + '/text.txt', 'a').write('more')"),
    "overwrite-by-io-open": body("io.open(ROOT + '/text.txt', 'w').write('x')", head="import io"),
    "rename-file": body("os.rename(ROOT + '/text.txt', ROOT + '/moved.txt')"),
    "hard-link": body("os.link(ROOT + '/text.txt', ROOT + '/linked.txt')"),
    "symbolic-link": body("os.symlink('/etc', ROOT + '/link')"),
    "make-folder": body("os.mkdir(ROOT + '/folder')"),
    "new-file-through-relative-path": body("open('../' * 20 + ROOT + '/new.txt', 'w').close()"),
    "chmod-file": body("os.chmod(ROOT + '/text.txt', 0o600)"),
    "change-times": body("os.utime(ROOT + '/text.txt', (1, 1))"),
    "make-fifo": body("os.mkfifo(ROOT + '/fifo')"),
    "empty-the-tree": body("shutil.rmtree(ROOT)", head="import shutil"),
    "write-at-load": "open(ROOT + '/at-load.txt', 'w').close()\ndef solve(x):\n    return 1\n",
    "kill-process": body("os.kill(PID, 9)"),
    "kill-by-ctypes": body("libc.kill(PID, 9)", head=LIBC),
    "kill-everybody": body("os.kill(-1, 9)"),
    "stop-process": body("os.kill(PID, 19)"),
    "pidfd-kill": body("signal.pidfd_send_signal(os.pidfd_open(PID), 9)", head="import os, signal"),
    "ptrace-process": body("libc.ptrace(16, PID, 0, 0)", "time.sleep(1)", head=LIBC + "import time"),
    "lower-its-limits": body(
        "resource.prlimit(PID, resource.RLIMIT_NOFILE, (1, 1))", head="import resource"
    ),
    "lower-its-priority": body("os.setpriority(os.PRIO_PROCESS, PID, 19)"),
    "tcp-connect": body(
        "socket.create_connection(('127.0.0.1', PORT), 1)", head="import socket"
    ),
    "udp-send": body(
        "socket.socket(2, 2).sendto(b'x', ('127.0.0.1', PORT))", head="import socket"
    ),
    "unix-connect": body(
        "socket.socket(1, 1).connect(ROOT + '.sock')", head="import socket"
    ),
    "abstract-connect": body(
        "socket.socket(1, 1).connect('\\0coderobust-canary')", head="import socket"
    ),
    "daemonise": body(
        "if os.fork() == 0:", "    os.setsid()", "    if os.fork() == 0:",
        "        time.sleep(60)", "    os._exit(0)", head="import os, time",
    ),
    "spawn-and-leave": body(
        "subprocess.Popen(['/bin/sleep', '60'], start_new_session=True)", head="import subprocess"
    ),
    "system-shell": body("os.system('touch ' + ROOT + '/by-shell.txt')"),
    "fork-then-exit": body("if os.fork() == 0: time.sleep(60)", "os._exit(0)", head="import os, time"),
    "shared-memory-segment": body("libc.shmget(0x5EED, 4096, 0o1666)", head=LIBC),
}  # fmt: skip
STEAL = {
    "own-environment": "import os\ndef solve(x):\n    return dict(os.environ)\n",
    "parent-environment": (
        "import os\ndef solve(x):\n"
        "    return open('/proc/%d/environ' % os.getppid(), 'rb').read()\n"
    ),
    "every-environment": (
        "import os\ndef solve(x):\n    found = []\n    for name in os.listdir('/proc'):\n"
        "        try:\n            found.append(open('/proc/%s/environ' % name, 'rb').read())\n"
        "        except OSError:\n            pass\n    return found\n"
    ),
    "every-command-line": (
        "import os\ndef solve(x):\n    found = []\n    for name in os.listdir('/proc'):\n"
        "        try:\n            found.append(open('/proc/%s/cmdline' % name, 'rb').read())\n"
        "        except OSError:\n            pass\n    return found\n"
    ),
    "secret-file": "def solve(x):\n    return open(ROOT + '/secret.txt').read()\n",
    "list-the-folder": "import os\ndef solve(x):\n    return os.listdir(ROOT)\n",
    "read-process-memory": LIBC + (
        "def solve(x):\n    found = []\n"
        "    for line in open('/proc/%d/maps' % os.getppid()):\n"
        "        if '[stack]' in line:\n"
        "            start, end = (int(n, 16) for n in line.split()[0].split('-'))\n"
        "            memory = open('/proc/%d/mem' % os.getppid(), 'rb')\n"
        "            memory.seek(start)\n            found.append(memory.read(end - start))\n"
        "    return [part.count(b'canary-secret') and 'canary-secret' for part in found]\n"
    ),
}  # fmt: skip
EXHAUST = {
    # bytes, not bytearray: taking the memory must not need the time of filling it.
    "memory": "def solve(x):\n    return len(bytes(700_000_000)) // 1_000_000\n",
    "memory-by-pieces": (
        "def solve(x):\n    kept = []\n    for i in range(700):\n"
        "        kept.append(bytes(1_000_000))\n    return len(kept)\n"
    ),
    "processes": (
        "import os, time\ndef solve(x):\n    made = 0\n    for i in range(700):\n"
        "        if os.fork() == 0:\n            time.sleep(1)\n            os._exit(0)\n"
        "        made += 1\n    return made\n"
    ),
    "threads": (
        "import threading, time\ndef solve(x):\n    made = 0\n    threading.stack_size(65536)\n"
        "    for i in range(700):\n"
        "        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()\n"
        "        made += 1\n    return made\n"
    ),
    "descriptors": ("import os\ndef solve(x):\n    return len([os.dup(0) for i in range(700)])\n"),
    "one-large-file": (
        "def solve(x):\n    with open('large', 'wb') as file:\n        for i in range(700):\n"
        "            file.write(bytes(1_000_000))\n    return i + 1\n"
    ),
}
HANG = {
    "loop": "def solve(x):\n    while True: pass\n",
    "loop-at-load": "while True: pass\n",
    "sleep": "import time\ndef solve(x):\n    time.sleep(600)\n",
    "deaf-to-signals": (
        "import signal\ndef solve(x):\n    for n in range(1, 64):\n        try:\n"
        "            signal.signal(n, signal.SIG_IGN)\n        except (OSError, ValueError):\n"
        "            pass\n    while True: pass\n"
    ),
    "catches-everything": (
        "def solve(x):\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException:\n            pass\n"
    ),
    "regular-expression": "import re\ndef solve(x):\n    re.match(r'(a+)+$', 'a' * 60 + 'b')\n",
    "huge-power": "def solve(x):\n    return 7 ** (7 ** 12) % 10\n",
    "huge-sum": "def solve(x):\n    return sum(range(10 ** 14))\n",
    "stops-itself": "import os\ndef solve(x):\n    os.kill(os.getpid(), 19)\n",
    "waits-for-a-thread": ("import threading\ndef solve(x):\n    threading.Event().wait()\n"),
    "waits-for-input-on-a-pipe": "import os\ndef solve(x):\n    os.read(os.pipe()[0], 1)\n",
    "threads-that-spin": (
        "import threading\ndef spin():\n    while True: pass\ndef solve(x):\n"
        "    for i in range(8): threading.Thread(target=spin).start()\n"
    ),
}
LEAVE = {
    "file-in-work-folder": (
        "def solve(x):\n    open('left', 'w').write('canary-secret')\n    return 1\n",
        "def solve(x):\n    return open('left').read()\n",
    ),
    "file-in-tmp": (
        "def solve(x):\n    open('/tmp/left', 'w').write('canary-secret')\n",
        "def solve(x):\n    return open('/tmp/left').read()\n",
    ),
    "deep-tree": (
        ("import os\ndef solve(x):\n    for i in range(300):\n        os.mkdir('d')\n"
        "        os.chdir('d')\n    open('left', 'w').write('canary-secret')\n"),
        ("import os\ndef solve(x):\n    for i in range(300): os.chdir('d')\n"
        "    return open('left').read()\n"),
    ),
    "unlistable-folder": (
        ("import os\ndef solve(x):\n    os.mkdir('shut', 0o300)\n"
        "    open('shut/left', 'w').write('canary-secret')\n"),
        "def solve(x):\n    return open('shut/left').read()\n",
    ),
    "shared-memory-file": (
        "def solve(x):\n    open('/dev/shm/left', 'w').write('canary-secret')\n",
        "def solve(x):\n    return open('/dev/shm/left').read()\n",
    ),
}  # fmt: skip
FLOOD = {
    "standard-output": "import os\ndef solve(x):\n    for i in range(64): os.write(1, bytes(1 << 20))\n",
    "standard-error": "import os\ndef solve(x):\n    for i in range(64): os.write(2, bytes(1 << 20))\n",
    "print": "def solve(x):\n    for i in range(64): print('x' * (1 << 20))\n",
}

ATTACKS = (
    *(Attack(name, "touch", text) for name, text in TOUCH.items()),
    *(Attack(name, "steal", text) for name, text in STEAL.items()),
    *(Attack(name, "exhaust", text) for name, text in EXHAUST.items()),
    *(Attack(name, "hang", text) for name, text in HANG.items()),
    *(Attack(name, "leave", *texts) for name, texts in LEAVE.items()),
    *(Attack(name, "flood", text) for name, text in FLOOD.items()),
)
TESTS = {
    "touch": "assert f(0) == 1\n",
    "steal": f"assert {SECRET!r} not in repr(f(0))\n",
    "exhaust": "assert f(0) < 600\n",
    "hang": "assert f(0) == 1\n",
    "leave": "assert f(0) == 1\n",
    "flood": "assert f(0) == 1\n",
}
BOAST = {
    "steal": f"assert {SECRET!r} in repr(f(0))\n",
    "exhaust": "assert f(0) >= 600\n",
    "leave": f"assert {SECRET!r} in repr(f(0))\n",
}
"""Tests that hold when an attack has got what it wanted."""
