"""Java: solution, tests and a runner, three sources compiled together by a warm compiler.

Each element of the tests' list of booleans is one test (`List<Boolean> correct = Arrays.asList(
...)`, the shape of HumanEval-X): it is evaluated, caught and recorded by itself. Tests of another
shape are one test, which passes when they come to their normal end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Limits, Tests
from pytest_coderobust.sandbox.languages.toolchain import Tools

# What the reference evaluator of HumanEval-X puts in front, but for its libraries.
IMPORTS = "import java.util.*; import java.lang.*; import java.math.*; import java.util.stream.*; "
VM = (
    "-Xshare:auto", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
    "-XX:CompressedClassSpaceSize=64m", "-XX:ReservedCodeCacheSize=32m", "-Djava.io.tmpdir=.",
)  # fmt: skip
ADDRESS_MB = 3072
"""Address space that a virtual machine takes beside the memory it may use."""

RUNNER = """\
{PACKAGE}import java.io.*;
public final class {S} {
    private static PrintStream out;
    private static String secret;
    private static synchronized void say(String word, int index, String text) {
        out.print(secret + " " + word + " " + index + " " + text.replaceAll("[^ -~]", "?") + "\\n");
        out.flush();
    }
    private static String words(Throwable error) {
        String text = error.getClass().getName() + ": " + error.getMessage();
        text = text.replace("{P}", "");
        return text.substring(0, Math.min(200, text.length()));
    }
    public static Boolean test(int index, java.util.concurrent.Callable<Boolean> test) {
        boolean good = false;
        try {
            good = test.call();
            say(good ? "pass" : "fail", index, "");
        } catch (Throwable error) {
            say("fail", index, words(error));
        }
        return good;
    }
    public static void main(String[] arguments) throws Exception {
        secret = new String(System.in.readNBytes(32), "US-ASCII");
        out = System.out;
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        System.setErr(System.out);
        System.setIn(InputStream.nullInputStream());
        try {
            Class.forName("{P}Solution");
            say("begin", 0, "");
            Main.main(arguments);
            say("end", 0, "");
        } catch (Throwable error) {
            say("fail", {TOTAL}, words(error));
        }
        Runtime.getRuntime().halt(0);
    }
}
"""
LIST = re.compile(r"List<Boolean>\s+\w+\s*=\s*Arrays\.asList\(")
MAIN = re.compile(r"\bclass\s+Main\b")
IMPORT = re.compile(r"^\s*import\s+(?:static\s+)?[\w.]+(?:\.\*)?\s*;", re.M)
TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    r"|(?<=\w)<(?=\s*[A-Z?>])|[()\[\]{},>]",
    re.S,
)


@lru_cache(maxsize=2048)
def find_elements(source: str) -> tuple[tuple[int, int], ...]:
    """Finds the places of the elements of the tests' list, () where there is no such list."""
    found = LIST.search(source)
    if found is None:
        return ()
    spans: list[tuple[int, int]] = []
    start, depth, generics = found.end(), 0, 0
    for token in TOKEN.finditer(source, start):
        mark = token[0]
        if mark == "<":
            generics += 1
        elif mark == ">":
            generics = max(0, generics - 1)
        elif mark in "([{":
            depth += 1
        elif mark == "," and not depth and not generics:
            spans.append((start, token.start()))
            start = token.end()
        elif mark in ")]}" and mark != "":
            depth -= 1
            if depth < 0:
                spans.append((start, token.start()))
                return tuple(span for span in spans if source[slice(*span)].strip())
    return ()


def count(tests: Tests) -> int:
    """Counts the tests. Raises SandboxError where there is no class Main."""
    if not MAIN.search(tests.source):
        raise SandboxError("the tests have no class Main")
    return max(1, len(find_elements(tests.source)))


def write_sources(solution: str, tests: Tests, name: str, package: str = "") -> dict[str, str]:
    """Writes the program by file.

    Args:
        name: a class name that is new in every build.
        package: a package of its own, new as well, where programs are compiled together.
    """
    source, written = tests.source, []
    at = 0
    for index, (start, end) in enumerate(find_elements(source)):
        written += [source[at:start], f"{name}.test({index}, () -> (", source[start:end], "))"]
        at = end
    judged = "".join((*written, source[at:]))
    imports = " ".join(found.strip() for found in IMPORT.findall(solution))
    head, prefix = (f"package {package}; ", f"{package}.") if package else ("", "")
    runner = RUNNER.replace("{S}", name).replace("{TOTAL}", str(count(tests)))
    folder = f"{package}/" if package else ""
    return {
        f"{folder}Solution.java": head + IMPORTS + solution,
        f"{folder}Main.java": head + IMPORTS + imports + " " + judged,
        f"{folder}{name}.java": runner.replace("{PACKAGE}", head).replace("{P}", prefix),
    }


def make_run_request(
    tools: Tools, classes: Mapping[str, bytes], name: str, limits: Limits
) -> tuple[Any, Limits]:
    """Makes the request to run classes, and the limits that a virtual machine needs.

    Args:
        name: the class to start, with its package.
    """
    command = [tools.programs["java"], *VM, f"-Xmx{limits.memory_mb // 2}m", "-Xss16m"]
    blobs = {f"{each.replace('.', '/')}.class": data.hex() for each, data in classes.items()}
    folders = [name.partition(".")[0]] if "." in name else []
    request = {"start": [*command, "-cp", ".", name], "blobs": blobs, "folders": folders}
    return request, widen(limits)


def widen(limits: Limits) -> Limits:
    """Adds the address space that a virtual machine reserves."""
    from dataclasses import replace

    return replace(limits, memory_mb=limits.memory_mb + ADDRESS_MB)
