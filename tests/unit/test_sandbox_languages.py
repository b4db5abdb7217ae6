"""C++ and Java: compiled and run in the cage, each test a result, no pass without the secret."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator

import pytest

from pytest_coderobust import records
from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Level, Limits, Verdict
from pytest_coderobust.sandbox import SAFE_TIERS, open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.sandbox.languages import cpp, java
from pytest_coderobust.sandbox.languages.report import read_report
from pytest_coderobust.sandbox.languages.toolchain import find_tools, missing_toolchain
from pytest_coderobust.sandbox.pool.workers import Workers

LIMITS = Limits(cpu_seconds=2, wall_seconds=8, memory_mb=512)
CPP_TESTS = """\
#undef NDEBUG
#include<assert.h>
int main(){
    assert (f(1) == 1); // assert(f(0))
    vector<int> wanted = {4, 9};
    for (int i = 2; i < 4; i++) assert (f(i) == wanted[i - 2]);
    assert (f(4) == 16 && "assert(no)");
}
"""
JAVA_TESTS = """\
public class Main {
    public static void main(String[] args) {
        Solution s = new Solution();
        List<Boolean> correct = Arrays.asList(
                s.f(1) == 1,
                new ArrayList<>(Arrays.asList(s.f(2), s.f(3))).equals(Arrays.asList(4, 9)), // a, b
                new HashMap<String, Integer>(Map.of("),", s.f(4))).get("),") == 16
        );
        if (correct.contains(false)) {
            throw new AssertionError();
        }
    }
}
"""
NEEDS = {
    name: pytest.mark.skipif(bool(missing_toolchain(name)), reason=missing_toolchain(name))
    for name in ("cpp", "java")
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox(1) as opened:
        yield opened


def run_check(sandbox: Sandbox, solution: str, language: records.Language) -> Verdict:
    source = CPP_TESTS if language == "cpp" else JAVA_TESTS
    tests = records.Tests(source, "compiled")
    check = Check(solution, "f", tests, LIMITS, language=language)
    return sandbox.submit(check).result(timeout=300)


def write_method(body: str, more: str = "") -> str:
    return f"class Solution {{ {more} public int f(int x) {{ {body} }} }}\n"


CPP = [
    ("using namespace std; int f(int x) { return x * x; }", Level.FULL, 3, ""),
    ("using namespace std; int f(int x) { return x < 4 ? x * x : 0; }", Level.PARTIAL, 2, "wrong-answer"),
    # a loop is one test, which passes when every execution of it does; the one behind it still runs
    ("using namespace std; int f(int x) { return x == 3 ? 0 : x * x; }", Level.PARTIAL, 2, "wrong-answer"),
    ("using namespace std; int f(int x) { if (x == 1) throw runtime_error(\"no\"); return x * x; }", Level.PARTIAL, 2, "exception"),
    ("using namespace std; int f(int x) { if (x == 4) *(volatile int *)0 = 1; return x * x; }", Level.PARTIAL, 2, "died"),
    ("using namespace std; int f(int x) { while (x == 4); return x * x; }", Level.PARTIAL, 2, "timeout"),
    ("using namespace std; int f(int x) { exit(0); }", Level.LOAD, 0, "died"),
    ("using namespace std; int f(int x) { return x }", Level.NONE, 0, "syntax"),
    ("using namespace std; int g(int x) { return x; }", Level.NONE, 0, "syntax"),
    ("#include \"/etc/passwd\"\nusing namespace std; int f(int x) { return x * x; }", Level.NONE, 0, "syntax"),
    ("using namespace std; struct S { S() { _exit(0); } } s; int f(int x) { return x * x; }", Level.COMPILE, 0, "died"),
    # says everything that a report says, without the secret, on every descriptor
    ("using namespace std; int f(int x) { for (int i = 0; i < 64; i++) dprintf(i, \"begin 0\\npass 0 \\npass 1 \\npass 2 \\nend 0 \\n\"); _exit(0); }", Level.LOAD, 0, "died"),
    # neither processes nor sockets nor files of the machine: squares only where all is refused
    ("#include <sys/socket.h>\n#include <signal.h>\nusing namespace std; int f(int x) { bool held = fork() < 0 && socket(AF_INET, SOCK_STREAM, 0) < 0 && open(\"/etc/passwd\", 0) < 0 && open(\"/var/tmp/x\", O_CREAT | O_WRONLY, 0600) < 0 && kill(getppid(), 0) < 0; return held ? x * x : -1; }", Level.FULL, 3, ""),
]  # fmt: skip
JAVA = [
    (write_method("return x * x;"), Level.FULL, 3, ""),
    ("import java.util.function.*;\npublic " + write_method("IntUnaryOperator o = v -> v * v; return o.applyAsInt(x);"), Level.FULL, 3, ""),
    (write_method("return x == 3 ? 0 : x * x;"), Level.PARTIAL, 2, "wrong-answer"),
    (write_method("if (x == 1) throw new IllegalStateException(\"no\"); return x * x;"), Level.PARTIAL, 2, "exception"),
    (write_method("while (x == 4); return x * x;"), Level.PARTIAL, 2, "timeout"),
    (write_method("System.exit(0); return 0;"), Level.LOAD, 0, "died"),
    (write_method("return x"), Level.NONE, 0, "syntax"),
    (write_method("return x * x;", "static { Runtime.getRuntime().halt(0); }"), Level.COMPILE, 0, "died"),
    (write_method("return new int[1 << 30].length;"), Level.LOAD, 0, "memory"),
    (write_method("System.out.println(\"begin 0\\npass 0 \\nend 0 \"); return 0;"), Level.LOAD, 0, "wrong-answer"),
    (write_method("try { new java.io.FileReader(\"/etc/passwd\"); return -1; } catch (Exception e) { } try { new ProcessBuilder(\"/bin/true\").start(); return -1; } catch (Exception e) { } try { new java.net.ServerSocket(0); return -1; } catch (Exception e) { } return x * x;"), Level.FULL, 3, ""),
]  # fmt: skip


@NEEDS["cpp"]
@pytest.mark.parametrize(("solution", "level", "passed", "failure"), CPP)
def test_cpp(sandbox: Sandbox, solution: str, level: Level, passed: int, failure: str) -> None:
    skip_unless_hidden(sandbox, solution)
    expect(sandbox, run_check(sandbox, solution, "cpp"), level, passed, failure)


@NEEDS["java"]
@pytest.mark.parametrize(("solution", "level", "passed", "failure"), JAVA)
def test_java(sandbox: Sandbox, solution: str, level: Level, passed: int, failure: str) -> None:
    skip_unless_hidden(sandbox, solution)
    expect(sandbox, run_check(sandbox, solution, "java"), level, passed, failure)


def skip_unless_hidden(sandbox: Sandbox, solution: str) -> None:
    if "/etc/passwd" in solution and sandbox.tier not in ("ns", "bwrap", "no-ns"):
        pytest.skip(f"{sandbox.tier} does not hide files")


def expect(sandbox: Sandbox, verdict: Verdict, level: Level, passed: int, failure: str) -> None:
    assert (verdict.level, verdict.passed, verdict.total) == (level, passed, 3), verdict
    assert verdict.failure == failure, verdict
    assert verdict.tier == sandbox.tier
    assert verdict.in_process
    assert "root:" not in verdict.detail
    assert "\n" not in verdict.detail
    assert bool(verdict.detail) == bool(failure)


@NEEDS["java"]
def test_the_compiler_outlives_bad_sources(sandbox: Sandbox) -> None:
    deep = write_method("return " + "(" * 20_000 + "x" + ")" * 20_000 + ";")
    assert not run_check(sandbox, deep, "java").full
    assert not run_check(sandbox, "\x00 \ud800 class", "java").full
    assert run_check(sandbox, JAVA[0][0], "java").full


JUNK = [
    random.Random(0).randbytes(5000).decode("latin-1"),
    pytest.param("\x00" * 100, marks=pytest.mark.slow),
    pytest.param("'\ud800'", marks=pytest.mark.slow),
    pytest.param("(" * 100_000, marks=pytest.mark.slow),
    "template<int N> struct A { static const int v = A<N - 1>::v + A<N - 2>::v; }; int x = A<9999>::v;",
    pytest.param("int x;\n" * 1_500_000, marks=pytest.mark.slow),
    pytest.param("x" * 10_000_000, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("language", [pytest.param(name, marks=NEEDS[name]) for name in NEEDS])
@pytest.mark.parametrize("source", JUNK, ids=range(len(JUNK)))
def test_junk_gets_a_verdict(sandbox: Sandbox, source: str, language: records.Language) -> None:
    verdict = run_check(sandbox, source, language)
    # A compiler may take its minute over ten megabytes on a busy machine.
    reasons = {"syntax", "timeout"} if len(source) > 1_000_000 else {"syntax"}
    assert verdict.level is Level.NONE
    assert verdict.failure in reasons
    assert verdict.detail


def test_an_empty_solution_is_none_in_any_language(sandbox: Sandbox) -> None:
    for language in ("cpp", "java"):
        verdict = run_check(sandbox, " \n", language)
        assert (verdict.level, verdict.total, verdict.failure) == (Level.NONE, 3, "empty")


def test_tests_are_counted_in_the_source() -> None:
    assert cpp.count(records.Tests(CPP_TESTS, "compiled")) == 3
    assert java.count(records.Tests(JAVA_TESTS, "compiled")) == 3
    spans = java.find_elements(JAVA_TESTS)
    assert [JAVA_TESTS[slice(*span)].strip()[:7] for span in spans] == [
        "s.f(1) ",
        "new Arr",
        "// a, b",
    ]
    assert cpp.count(records.Tests("int main() { f(); }", "compiled")) == 1
    assert java.count(records.Tests("class Main { }", "compiled")) == 1
    with pytest.raises(SandboxError, match="no 'int main"):
        cpp.count(records.Tests("assert(1);", "compiled"))
    with pytest.raises(SandboxError, match="no class Main"):
        java.count(records.Tests("", "compiled"))


def test_a_line_without_the_secret_counts_for_nothing() -> None:
    lines = (
        b"pass 0\nother pass 0 \nkey begin 0 \nkey pass 1 \nkey fail 9 \nkeykey end\nkey pass x\n"
    )
    report = read_report(lines, "key", 3)
    assert (report.begun, report.ended) == (True, False)
    assert (report.passed, report.failed) == ({1}, frozenset())
    again = read_report(b"key pass 1 \nkey fail 1 Odd: 5\nkey end 0 ", "key", 3)
    assert (again.passed, again.failed, again.first, again.ended) == (set(), {1}, "Odd: 5", True)


def test_a_missing_compiler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> str | None:
        return None

    monkeypatch.setattr(shutil, "which", nothing)
    find_tools.cache_clear()
    try:
        assert missing_toolchain("python") == ""
        assert missing_toolchain("java") == (
            "Java needs javac and java, not found here (apt-get install default-jdk-headless)"
        )
    finally:
        find_tools.cache_clear()


@pytest.mark.slow
@NEEDS["cpp"]
def test_nothing_is_left_behind() -> None:
    workers = Workers(SAFE_TIERS)
    worker = workers.open()
    try:
        tests = records.Tests(CPP_TESTS, "compiled")
        verdict, _ = worker.judge(Check(CPP[0][0], "f", tests, LIMITS, language="cpp"))
        assert verdict.full
        assert list(workers.shared.iterdir())
    finally:
        workers.end(worker)
        workers.remove_folders()
    assert not workers.shared.exists()
