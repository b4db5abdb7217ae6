"""Sets up a tier: what the zygote does to itself once, and each candidate to itself."""

from __future__ import annotations

import os
import resource

from pytest_coderobust.sandbox.cage import identity, landlock, namespaces
from pytest_coderobust.sandbox.cage.kernel import Prepared
from pytest_coderobust.sandbox.cage.limits import (
    OPEN_FILES,
    Restriction,
    lower,
    restrict_zygote,
)
from pytest_coderobust.sandbox.cage.plan import BWRAP, NO_NS, NS, RLIMITS, SECCOMP, CagePlan
from pytest_coderobust.sandbox.cage.seccomp import Filter, make_base_filter, make_candidate_filter

THREADS = 32
DEVICES = tuple(f"/dev/{name}" for name in namespaces.DEVICES)
WRITABLE_DEVICES = ("/dev/null", "/dev/zero", "/dev/full")


class Isolation:
    """Restrictions that each candidate's process still has to put on itself.

    Args:
        alone: nothing but candidates runs in the zygote's process namespace.
        forks: candidates can start processes, so that more than one must be ended.

    Attributes:
        filter, builder: what every candidate may not do, and what one may not that builds a
            program, for which compilers start processes.
    """

    def __init__(self, work: str, *, alone: bool, forks: bool) -> None:
        self.work = work
        self.alone = alone
        self.forks = forks
        self.landlock: Prepared | None = None
        self.filter: Filter | None = None
        self.builder: Filter | None = None

    def isolate_candidate(
        self, keep_fd: int, restrict: Restriction, *, build: bool = False
    ) -> None:
        """Restricts a fresh fork, before it reads anything foreign. Raises OSError."""
        if self.forks:
            os.setpgid(0, 0)
        if self.landlock is not None:
            self.landlock()
        os.closerange(3, keep_fd)  # the control socket above all
        os.closerange(keep_fd + 1, OPEN_FILES)
        restrict()
        chosen = self.builder if build else self.filter
        if chosen is not None:
            chosen.install()


def isolate_zygote(plan: CagePlan) -> Isolation:
    """Applies a plan to this process; under "ns" returns in a new one.

    Raises:
        OSError: the kernel or its policy refuses a part of the plan.
    """
    if plan.tier == RLIMITS:
        restrict_zygote()
        os.chdir(plan.scratch)
        return Isolation(plan.scratch, alone=False, forks=True)
    uid = identity.choose_uid(plan.slot) if os.getuid() == 0 else None
    work = plan.scratch
    if plan.tier == NS:
        namespaces.enter(plan.readable, plan.placed, plan.scratch)
        work = namespaces.WORK
    elif plan.tier == BWRAP:
        work = namespaces.WORK
    elif uid is not None and not all(map(is_readable_by_all, plan.readable)):
        uid = None  # an interpreter in root's own home: stay root, but powerless
    os.chdir(work)
    isolation = Isolation(work, alone=os.getpid() == 1, forks=plan.commands)
    restrict_zygote()
    if uid is not None:
        if plan.tier in (NO_NS, SECCOMP):
            os.chown(plan.scratch, uid, uid)
        identity.become(uid)
    if uid is not None or isolation.alone:
        lower(resource.RLIMIT_NPROC, THREADS)
    identity.renounce()
    if plan.tier in (NS, BWRAP, NO_NS):
        restrict_files(plan, work, isolation)
    make_base_filter(commands=plan.commands).install()
    metadata = plan.tier in (NO_NS, SECCOMP)
    isolation.filter = make_candidate_filter(metadata=metadata)
    if plan.commands:
        isolation.builder = make_candidate_filter(metadata=False, processes=True)
    return isolation


def restrict_files(plan: CagePlan, work: str, isolation: Isolation) -> None:
    """Puts Landlock on the zygote where mounts already hide the rest, else on candidates.

    Without namespaces the zygote keeps its sight of /proc, from which it reads how long a
    candidate had to wait for a processor.
    """
    visible = plan.readable if plan.tier == NO_NS else ("/",)
    try:
        restriction = landlock.prepare_restriction(
            landlock.build_ruleset((*visible, *DEVICES), (work, *WRITABLE_DEVICES))
        )
    except OSError:
        if plan.tier == NO_NS:
            raise
        return  # an older kernel: the namespaces have to do
    if plan.tier == NO_NS:
        isolation.landlock = restriction
    else:
        restriction()


def is_readable_by_all(path: str) -> bool:
    """Whether any user can reach and read a path."""
    wanted = 0o005 if os.path.isdir(path) else 0o004  # noqa: PTH112
    while True:
        if os.stat(path).st_mode & wanted != wanted:  # noqa: PTH116
            return False
        parent = os.path.dirname(path)  # noqa: PTH120
        if parent == path:
            return True
        path, wanted = parent, 0o001  # a folder on the way need not be listed
