"""C++: one program of solution and tests, built against a precompiled header.

The header holds what the reference evaluator of HumanEval-X (Zheng et al. 2023) puts in front of
every program. Each `assert` of the tests is counted, caught and recorded by itself.
"""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Tests
from pytest_coderobust.sandbox.languages.report import FAILED
from pytest_coderobust.sandbox.languages.toolchain import Tools

FLAGS = ("-std=c++17", "-O0", "-w", "-fmax-errors=3", "-fdiagnostics-color=never")
HEADER = """\
#include <algorithm>
#include <climits>
#include <cstring>
#include <iostream>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string>
#include <vector>
#include <fcntl.h>
#include <typeinfo>
#include <unistd.h>
"""
LIBRARIES = {"openssl/": "-lcrypto"}
BUILD_SECONDS = 120

# {S} is a name that is new in every build, so that no solution can call what it finds here.
BEFORE = """\
namespace {S} {
static int out = -1;
static char secret[33];
static signed char seen[{TOTAL}];
__attribute__((constructor(101))) static void listen() {
    long have = 0, more;
    while (have < 32 && (more = ::read(0, secret + have, 32 - have)) > 0) have += more;
    out = ::dup(1);
    int nowhere = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) ::dup2(nowhere, fd);
}
static void say(const char *word, int index, const char *text) {
    char line[400], clean[201];
    int n = 0;
    for (; text[n] && n < 200; n++) clean[n] = text[n] >= ' ' && text[n] < 127 ? text[n] : '?';
    clean[n] = 0;
    n = ::snprintf(line, sizeof line, "%s %s %d %s\\n", secret, word, index, clean);
    if (::write(out, line, n) < n) ::_exit(3);
}
static void note(int index, const char *text) {
    signed char now = text ? 2 : 1;
    if (seen[index] >= now) return;
    seen[index] = now;
    say(text ? "fail" : "pass", index, text ? text : "");
}
template <class Test> static void run(int index, Test test) {
    try {
        note(index, test() ? 0 : "{FAILED}");
    } catch (const std::exception &error) {
        std::string text = std::string(typeid(error).name()) + ": " + error.what();
        note(index, text.c_str());
    } catch (...) {
        note(index, "an exception that is none of std");
    }
}
struct Tests {
    Tests() { say("begin", 0, ""); }
    ~Tests() { if (!std::uncaught_exceptions()) say("end", 0, ""); }
};
}
#line 1 "solution.cpp"
"""
AFTER = """

#undef main
#undef assert
#define assert(...) ::{S}::run(__COUNTER__ - {S}_first, \\
    [&]() -> bool { return static_cast<bool>(__VA_ARGS__); })
enum { {S}_first = __COUNTER__ + 1 };
#line 1 "tests.cpp"
"""
MAIN = re.compile(r"\bint\s+main\s*\([^)]*\)\s*\{")
OWN_ASSERT = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<(?:assert\.h|cassert)>[^\n]*", re.M)
LITERAL = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
ASSERT = re.compile(r"\bassert\s*\(")


@lru_cache(maxsize=2048)
def count(tests: Tests) -> int:
    """Counts the asserts of the tests, at least 1. Raises SandboxError where there is no main."""
    if not MAIN.search(tests.source):
        raise SandboxError("the tests have no 'int main()'")
    return max(1, len(ASSERT.findall(LITERAL.sub(" ", tests.source))))


def write_program(solution: str, tests: Tests, name: str) -> str:
    """Writes the whole program; `name` is new in every build."""
    total = str(count(tests))

    def filled(text: str) -> str:
        return text.replace("{S}", name).replace("{TOTAL}", total).replace("{FAILED}", FAILED)

    source = OWN_ASSERT.sub("", tests.source)
    source = MAIN.sub(lambda found: f"{found[0]} ::{name}::Tests {name}_tests;", source, count=1)
    return "".join((filled(BEFORE), solution, filled(AFTER), source, "\n"))


def make_build_request(tools: Tools, header: Path, source: str) -> Any:
    """Makes the request to build a program."""
    libraries = [flag for mark, flag in LIBRARIES.items() if mark in source]
    command = [tools.programs["g++"], *FLAGS, "-include", str(header), "program.cpp"]
    command += ["-o", "program", *libraries]
    return {"build": command, "files": {"program.cpp": source}, "fetch": "program"}


def precompile(tools: Tools, folder: Path) -> Path:
    """Compiles the header once for everybody who shares the folder. Raises SandboxError."""
    header, made = folder / "all.h", folder / "all.h.gch"
    with FileLock(str(folder.parent / "cpp.lock")):
        if not made.exists():
            folder.mkdir(exist_ok=True)
            header.write_text(HEADER, encoding="ascii")
            command = [tools.programs["g++"], *FLAGS, "-x", "c++-header", str(header)]
            try:
                subprocess.run(  # noqa: S603  the compiler of this machine on our own text
                    [*command, "-o", str(made)],
                    check=True,
                    capture_output=True,
                    timeout=BUILD_SECONDS,
                    stdin=subprocess.DEVNULL,
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise SandboxError(f"g++ cannot compile its own headers: {error}") from None
            for path in (folder, header, made):
                path.chmod(0o755 if path is folder else 0o644)
    return header
