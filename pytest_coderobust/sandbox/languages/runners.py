"""Runners: each judges the checks of one compiled language, in cages that it opens first."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import FailureKind, Level, Limits, Tests, Verdict
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.judge.conversation import Starved, explain_end
from pytest_coderobust.sandbox.judge.outcome import DETAIL
from pytest_coderobust.sandbox.judge.programs import ProgramRun, run_program, seal
from pytest_coderobust.sandbox.judge.watchdog import bound
from pytest_coderobust.sandbox.judge.zygote import Zygote, ZygoteLostError
from pytest_coderobust.sandbox.languages import cpp, java
from pytest_coderobust.sandbox.languages.java_builds import JavaBuilds
from pytest_coderobust.sandbox.languages.report import (
    OUTPUT_BYTES,
    judge_report,
    make_secret,
    secret_pipe,
)
from pytest_coderobust.sandbox.languages.toolchain import CompiledLanguage, Tools, find_tools
from pytest_coderobust.sandbox.languages.warm import CompilerReply, WarmCompiler

BUILD = Limits(cpu_seconds=60, wall_seconds=120, memory_mb=3072)
PROGRAM_BYTES = 64 << 20

OpenCage = Callable[[tuple[str, ...], int], Zygote]
"""Opens a cage in which programs can be started. It gets the paths that they may read besides, and
a number that no other cage of the worker has."""


class Runner(Protocol):
    """Judges the solutions of one language."""

    def judge(self, check: Check) -> tuple[Verdict, Starved]:
        """Returns a verdict without its tier, and whether it is the machine's fault.

        Raises:
            SandboxError: the tests cannot be read, or the compiler does not work.
            ZygoteLostError: a fork server is gone.
        """
        ...

    def build_together(self, checks: Sequence[Check]) -> None:
        """Makes ready what checks need that are judged next.

        Raises:
            SandboxError: the compiler does not work.
        """
        ...

    def close(self) -> None:
        """Ends the cages."""
        ...


class CppRunner:
    """C++: one build and one run for each check, in one cage."""

    def __init__(self, tools: Tools, open_cage: OpenCage, folder: Path) -> None:
        self._tools = tools
        self._header = cpp.precompile(tools, folder)
        self._zygote = open_cage((*tools.readable, str(folder)), 1)

    def judge(self, check: Check) -> tuple[Verdict, Starved]:
        total = cpp.count(check.tests)
        source = cpp.write_program(check.solution, check.tests, f"t{secrets.token_hex(8)}")
        built = self._build(source)
        if not built.output:
            return judge_unbuilt(built, total), built.starved
        secret = make_secret()
        program = seal("solution", built.output, executable=True)
        bound(check.limits)
        try:
            with secret_pipe(secret) as stdin:
                ran = run_program(
                    self._zygote, {"start": ["solution"]}, check.limits,
                    stdin=stdin, program=program, output_bytes=OUTPUT_BYTES,
                )  # fmt: skip
        finally:
            os.close(program)
        return judge_run(ran, secret, total)

    def build_together(self, checks: Sequence[Check]) -> None:
        """Does nothing: each program has a compiler of its own, which starts at once."""

    def _build(self, source: str) -> ProgramRun:
        bound(BUILD)
        nothing = os.open(os.devnull, os.O_RDONLY)
        limits = replace(BUILD, wire_bytes=max(BUILD.wire_bytes, 7 * len(source)))
        try:
            request = cpp.make_build_request(self._tools, self._header, source)
            return require_server(
                run_program(
                    self._zygote, request, limits, stdin=nothing, output_bytes=PROGRAM_BYTES
                )
            )
        finally:
            os.close(nothing)

    def close(self) -> None:
        self._zygote.close()


class JavaRunner:
    """Java: a warm compiler in one cage, a virtual machine for each check in another."""

    def __init__(self, tools: Tools, open_cage: OpenCage) -> None:
        self._tools = tools
        self._compiling = open_cage(tools.readable, 2)
        self._running = open_cage(tools.readable, 3)
        self._compiler = WarmCompiler(self._compiling, tools)
        self._builds = JavaBuilds(self._compiler)

    def build_together(self, checks: Sequence[Check]) -> None:
        bound(BUILD)
        self._builds.build_together(checks)

    def judge(self, check: Check) -> tuple[Verdict, Starved]:
        total = java.count(check.tests)
        bound(BUILD)
        made = self._builds.build(check)
        if isinstance(made, CompilerReply):
            kind: FailureKind = "timeout" if made.hung else "syntax"
            return Verdict(Level.NONE, 0, total, kind, join_lines(made.trouble)), ""
        secret = make_secret()
        request, limits = java.make_run_request(self._tools, made.classes, made.name, check.limits)
        bound(check.limits)
        with secret_pipe(secret) as stdin:
            ran = run_program(
                self._running, request, limits, stdin=stdin, output_bytes=OUTPUT_BYTES
            )
        return judge_run(ran, secret, total)

    def close(self) -> None:
        self._compiler.stop()
        self._compiling.close()
        self._running.close()


def open_runner(language: CompiledLanguage, open_cage: OpenCage, folder: Path) -> Runner:
    """Opens the runner of a language.

    Args:
        folder: where what all workers share is kept; it is made when it is missing.

    Raises:
        SandboxError: its toolchain is missing or does not work.
    """
    tools = find_tools(language)
    if tools.missing:
        raise SandboxError(tools.missing)
    if language == "cpp":
        return CppRunner(tools, open_cage, folder)
    return JavaRunner(tools, open_cage)


def count(language: CompiledLanguage, tests: Tests) -> int:
    """Counts the tests. Raises SandboxError."""
    return cpp.count(tests) if language == "cpp" else java.count(tests)


def require_server(ran: ProgramRun) -> ProgramRun:
    """Returns a run unless its fork server is gone. Raises ZygoteLostError."""
    if ran.end.reason == "lost":
        raise ZygoteLostError("the fork server ended during a check")
    return ran


def judge_run(ran: ProgramRun, secret: str, total: int) -> tuple[Verdict, Starved]:
    """Makes the verdict of a run, and whether it is the machine's fault."""
    verdict = judge_report(require_server(ran), secret, total)
    return verdict, ran.starved if verdict.failure == "timeout" else ""


def judge_unbuilt(built: ProgramRun, total: int) -> Verdict:
    """Makes the verdict of a program that the compiler did not make."""
    if built.end.reason != "exited":
        return Verdict(Level.NONE, 0, total, explain_end(built.end).kind, "compiling took too long")
    said = str(built.remark("said") or "the compiler said nothing")
    errors = [line for line in said.split("\n") if "error:" in line]
    return Verdict(Level.NONE, 0, total, "syntax", join_lines(errors[0] if errors else said))


def join_lines(text: str) -> str:
    """Makes one short line of a compiler's message."""
    return " ".join(text.split())[:DETAIL]
