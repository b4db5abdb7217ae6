"""Java programs that are compiled together: the verdicts of each alone, at fewer calls."""

from __future__ import annotations

import queue
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.records import Limits, Tests, Verdict
from pytest_coderobust.sandbox import SAFE_TIERS
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.languages.java_builds import (
    KEPT,
    JavaBuild,
    JavaBuilds,
    fits_package,
)
from pytest_coderobust.sandbox.languages.toolchain import missing_toolchain
from pytest_coderobust.sandbox.languages.warm import CompilerReply, WarmCompiler
from pytest_coderobust.sandbox.pool.taken import TOGETHER, CheckQueue, TakenChecks
from pytest_coderobust.sandbox.pool.workers import Workers

TESTS = Tests(
    "public class Main {\n    public static void main(String[] args) {\n"
    "        Solution s = new Solution();\n"
    "        List<Boolean> correct = Arrays.asList(s.f(1) == 1, s.f(2) == 4);\n"
    "        if (correct.contains(false)) {\n            throw new AssertionError();\n        }\n"
    "    }\n}\n",
    "compiled",
)
LIMITS = Limits(cpu_seconds=2, wall_seconds=8, memory_mb=512)


def make_check(body: str, more: str = "") -> Check:
    source = f"class Solution {{ {more} public int f(int x) {{ {body} }} }}\n"
    return Check(source, "f", TESTS, LIMITS, language="java")


@dataclass
class ScriptedCompiler:
    """Compiles nothing: makes a class of each source, and finds "bad" ones faulty."""

    hangs: bool = False
    calls: list[tuple[int, bool]] = field(default_factory=list[tuple[int, bool]])

    def compile(self, sources: Mapping[str, str], *, several: bool = False) -> CompilerReply:
        self.calls.append((len(sources) // 3, several))
        if several and self.hangs:
            return CompilerReply({}, "compiling took too long", hung=True)
        faulty = frozenset(f"/{name}" for name, text in sources.items() if "bad" in text)
        if faulty:
            return CompilerReply({}, "no", faulty=faulty)
        names = [name.removesuffix(".java").replace("/", ".") for name in sources]
        return CompilerReply({name: name.encode() for name in names})


def open_builds(*, hangs: bool = False) -> tuple[JavaBuilds, ScriptedCompiler]:
    compiler = ScriptedCompiler(hangs)
    return JavaBuilds(cast("WarmCompiler", compiler)), compiler


def test_programs_are_compiled_by_one_call_and_kept_apart() -> None:
    builds, compiler = open_builds()
    checks = [make_check(f"return {number};") for number in range(4)]
    builds.build_together([*checks, checks[0]])
    assert compiler.calls == [(4, True)]
    found = [builds.build(check) for check in checks]
    assert compiler.calls == [(4, True)]
    packages = set[str]()
    for build in found:
        assert isinstance(build, JavaBuild)
        package, _, name = build.name.partition(".")
        packages.add(package)
        assert set(build.classes) == {f"{package}.{each}" for each in ("Solution", "Main", name)}
    assert len(packages) == 4


def test_a_program_with_errors_is_left_out_and_compiled_alone() -> None:
    builds, compiler = open_builds()
    checks = [make_check(body) for body in ("return 1;", "bad", "return 2;")]
    builds.build_together(checks)
    assert compiler.calls == [(3, True), (2, True)]
    assert isinstance(builds.build(checks[0]), JavaBuild)
    assert isinstance(builds.build(checks[1]), CompilerReply)
    assert compiler.calls[2:] == [(1, False)]


def test_a_call_that_hangs_is_not_tried_again() -> None:
    builds, compiler = open_builds(hangs=True)
    checks = [make_check("return 1;"), make_check("return 2;")]
    builds.build_together(checks)
    assert all(isinstance(builds.build(check), JavaBuild) for check in checks)
    assert compiler.calls == [(2, True), (1, False), (1, False)]


def test_a_source_is_compiled_once_whatever_its_limits_and_the_newest_are_kept() -> None:
    builds, compiler = open_builds()
    check = make_check("return 1;")
    builds.build(check)
    builds.build(replace(check, limits=Limits()))
    assert len(compiler.calls) == 1
    builds.build(replace(check, tests=replace(TESTS, source=TESTS.source + "\n")))
    assert len(compiler.calls) == 2
    for number in range(2, KEPT + 2):
        builds.build(make_check(f"return {number};"))
    builds.build(make_check(f"return {KEPT};"))
    assert len(compiler.calls) == KEPT + 2
    builds.build(check)  # the newest ones have pushed it out
    assert len(compiler.calls) == KEPT + 3


@pytest.mark.parametrize(
    "body",
    [
        'Class.forName("Solution");',
        "return getClass().getName().length();",
        "new Throwable().getStackTrace();",
        "package",
        "\\u0041",
        " " * 60_000,
    ],
)
def test_a_program_that_may_see_its_package_is_compiled_alone(body: str) -> None:
    assert fits_package(make_check("return x;"))
    assert not fits_package(make_check(body))
    assert not fits_package(replace(make_check(""), solution=" "))
    assert not fits_package(replace(make_check(""), tests=Tests("", "compiled")))


CHECKS = [
    make_check("return x * x;"),
    make_check("return x == 2 ? 0 : x * x;"),
    make_check("return x"),
    make_check('if (x == 1) throw new Own("no"); return x * x;', "static class Own extends RuntimeException { Own(String s) { super(s); } }"),
    make_check("Object o = new Own(); return ((Integer) o) * x;", "static class Own { }"),
    make_check("int y; return y;"),
    make_check("return getClass().getName().length() == 8 ? x * x : 0;"),
    make_check("unknown(); return 0;"),
    make_check("return new Pair(x).x * x;", "record Pair(int x) { }"),
]  # fmt: skip


@pytest.mark.skipif(bool(missing_toolchain("java")), reason=missing_toolchain("java"))
def test_verdicts_are_those_of_programs_that_are_compiled_alone() -> None:
    def judge(*, together: bool) -> list[Verdict]:
        workers = Workers(SAFE_TIERS)
        worker = workers.open()
        try:
            if together:
                worker.build_together(CHECKS)
            found = [worker.judge(check)[0] for check in CHECKS]
        finally:
            workers.end(worker)
            workers.remove_folders()
        return [replace(verdict, cpu_seconds=0.0) for verdict in found]

    alone = judge(together=False)
    assert judge(together=True) == alone
    assert [verdict.full for verdict in alone] == [True, *[False] * 5, True, False, True]
    assert [verdict.failure for verdict in alone][2:6] == ["syntax", "exception", "exception", "syntax"]  # fmt: skip
    assert "Solution$Own" in alone[4].detail


def fill(languages: str) -> tuple[CheckQueue, list[Check], list[Future[Verdict]]]:
    checks: CheckQueue = queue.SimpleQueue()
    made, futures = list[Check](), list[Future[Verdict]]()
    for place, letter in enumerate(languages):
        language = {"j": "java", "c": "cpp", "p": "python"}[letter]
        made.append(Check(str(place), "f", TESTS, language=language))  # type: ignore[arg-type]
        futures.append(Future())
        checks.put((made[-1], futures[-1]))
    return checks, made, futures


@given(languages=st.text("jjjcp", max_size=30), threads=st.integers(1, 4))
def test_every_check_is_taken_once_and_in_order(languages: str, threads: int) -> None:
    checks, made, _ = fill(languages)
    checks.put(None)
    taken = TakenChecks(checks, threads)
    order = list[Check]()
    while (queued := taken.take()) is not None:
        together = taken.take_along(queued[0])
        assert len(together) <= max(1, min(TOGETHER["java"], 1 + len(made) // threads))
        assert all(check.language == "java" for check in together)
        assert not together or together[0] is queued[0]
        order.append(queued[0])
    assert order == made


def test_the_end_of_another_thread_is_left_to_it_and_what_is_held_can_be_cancelled() -> None:
    checks, made, futures = fill("jjj")
    checks.put(None)
    checks.put(None)
    taken = TakenChecks(checks, 1)
    queued = taken.take()
    assert queued is not None
    assert taken.take_along(queued[0]) == made
    assert checks.qsize() == 2
    taken.cancel()
    assert [future.cancelled() for future in futures] == [False, True, True]
    assert taken.take() is None
