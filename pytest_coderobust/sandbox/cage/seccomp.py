"""System-call filters: calls that are refused to every candidate.

Two filters stack. BASE is installed once, in the zygote, and refuses what neither it nor a
candidate needs; OWN is added by each candidate's process and refuses what only the zygote needs
(fork, signals). A refused call fails with EPERM, so that programs see an ordinary error.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from pytest_coderobust.sandbox.cage.kernel import (
    MACHINE,
    Prepared,
    get_number,
)

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000
EPERM, ENOSYS = 1, 38
CLONE_THREAD = 0x00010000
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # classic BPF
NR, ARCH, ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
SET_FILTER = 1

PASS = (RETURN, 0, 0, ALLOW)
REFUSE = (RETURN, 0, 0, ERRNO | EPERM)

NETWORK = ("socket", "connect", "bind", "listen", "accept", "accept4")
EXEC = ("execve", "execveat")
PROCESSES = (
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
    "kcmp", "pidfd_getfd", *EXEC, "setsid",
)  # fmt: skip
NAMESPACES = (
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount",
    "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
)  # fmt: skip
KERNEL = (
    "bpf", "perf_event_open", "add_key", "request_key", "keyctl", "userfaultfd",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "init_module", "finit_module",
    "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "syslog",
    "acct", "quotactl", "quotactl_fd", "settimeofday", "clock_settime", "adjtimex",
    "clock_adjtime", "sethostname", "setdomainname", "iopl", "ioperm", "modify_ldt", "vhangup",
    "personality", "name_to_handle_at", "open_by_handle_at", "fanotify_init", "fanotify_mark",
    "move_pages", "migrate_pages", "sched_setscheduler", "sched_setattr", "sched_setparam",
    "ioprio_set", "setpriority",
)  # fmt: skip
SHARED_MEMORY = (
    "shmget", "shmat", "shmctl", "semget", "semctl", "msgget", "msgctl", "mq_open", "mq_unlink",
    "memfd_create", "memfd_secret",
)  # fmt: skip
# Where the file system is the user's own: Landlock does not mediate these.
METADATA = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat",
    "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr",
    "fremovexattr", "utime", "utimes", "utimensat", "futimesat", "mknod", "mknodat",
)  # fmt: skip
BASE = NETWORK + PROCESSES + NAMESPACES + KERNEL + SHARED_MEMORY
FORK = ("fork", "vfork")
OWN = (
    *FORK, "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open",
    "pidfd_send_signal", "setpgid",
)  # fmt: skip


Lines = list[tuple[int, int, int, int]]


class Instruction(ctypes.Structure):
    """The kernel's struct sock_filter."""

    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jump_true", ctypes.c_uint8),
        ("jump_false", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class Program(ctypes.Structure):
    """The kernel's struct sock_fprog."""

    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction)))


class Filter:
    """A program ready to install.

    Args:
        lines: the program.
        own_pid: the line that compares with the caller's process id, or -1.
    """

    def __init__(self, lines: Lines, own_pid: int = -1) -> None:
        self._instructions = (Instruction * len(lines))(*(Instruction(*line) for line in lines))
        self._program = Program(len(lines), self._instructions)
        # An instruction's last word is its constant; a view writes it on fewer pages than ctypes.
        self._words = memoryview(self._instructions).cast("B").cast("I")
        self._own_pid = 2 * own_pid + 1
        self._install = Prepared("seccomp", SET_FILTER, 0, ctypes.addressof(self._program))

    def install(self) -> None:
        """Restricts the calling thread and all it starts. Needs no_new_privs."""
        if self._own_pid >= 0:
            self._words[self._own_pid] = os.getpid()
        self._install()


def make_base_filter(*, commands: bool = False) -> Filter:
    """Refuses BASE, and other processes' limits and processors; kills foreign architectures.

    Args:
        commands: programs may be started in a process's place.
    """
    lines: Lines = [
        (LOAD, 0, 0, ARCH),
        (EQUAL, 1, 0, ARCHITECTURES[MACHINE]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NR),
    ]
    if MACHINE == "x86_64":
        lines += [(AT_LEAST, 0, 1, X32_BIT), (RETURN, 0, 0, KILL)]
    lines += refuse_all(name for name in BASE if not (commands and name in EXEC))
    for name in ("prlimit64", "sched_setaffinity"):
        lines += allow_only_if(name, (EQUAL, 0, 1, 0))
    return Filter([*lines, PASS])


def make_candidate_filter(*, metadata: bool, processes: bool = False) -> Filter:
    """Refuses OWN, processes but not threads, and signals to others.

    Args:
        metadata: also refuse METADATA.
        processes: let it start some, as a compiler does.
    """
    lines: Lines = [(LOAD, 0, 0, NR)]
    refused = OWN + (METADATA if metadata else ())
    lines += refuse_all(name for name in refused if not (processes and name in FORK))
    # glibc falls back to clone, whose flags a filter can read.
    lines += [(EQUAL, 0, 1, get_number("clone3")), (RETURN, 0, 0, ERRNO | ENOSYS)]
    if not processes:
        lines += allow_only_if("clone", (ANY_BIT, 0, 1, CLONE_THREAD))
    lines += allow_only_if("tgkill", (EQUAL, 0, 1, 0))
    return Filter([*lines, PASS], own_pid=len(lines) - 3)


def allow_only_if(name: str, condition: tuple[int, int, int, int]) -> Lines:
    """Allows a call when its first argument meets the condition, and refuses it otherwise."""
    return [(EQUAL, 0, 4, get_number(name)), (LOAD, 0, 0, ARGUMENT), condition, PASS, REFUSE]


def refuse_all(names: Iterable[str]) -> Lines:
    """Makes two instructions for each call that exists on this machine."""
    numbers = [get_number(name) for name in names]
    lines: Lines = []
    for nr in numbers:
        if nr >= 0:
            lines += [(EQUAL, 0, 1, nr), REFUSE]
    return lines
