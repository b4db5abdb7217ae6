"""Pylint, run as a program: it is under the GPL, and is never imported.

The configuration is the program's own defaults, less two checks that compare files with each
other. It reads no file of the user's, loads no plugin and runs no hook. Messages that speak of the
surroundings of a solution are left out where they are counted, so that both ways of counting share
what is stored.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_coderobust.errors import MissingExtra
from pytest_coderobust.linters.linter import find_base_name, find_distribution, name_python
from pytest_coderobust.records.lint import LintedSource, LintRemark

_SILENCER = re.compile(r"pylint(?=\s*:)")


@dataclass(frozen=True, slots=True)
class Pylint:
    """Pylint 3.3 or later, below 5."""

    name: str = "pylint"
    options: tuple[str, ...] = (
        f"--rcfile={os.devnull}",
        "-j1",
        "--persistent=n",
        "--score=n",
        "--unsafe-load-any-extension=n",
        "--disable=duplicate-code,cyclic-import",
        "--output-format=json2",
    )

    def find_version(self) -> str:
        version, astroid = find_distribution("pylint"), find_distribution("astroid")
        if version is None or astroid is None:
            raise MissingExtra("--quality", "quality")
        return f"pylint {version}, astroid {astroid}, {name_python()}"

    def quiet(self, source: str) -> str:
        # A comment "pylint: disable=..." is the model's, and may not decide what is counted.
        return _SILENCER.sub("py_int", source)

    def make_command(self, folder: str) -> list[str]:
        files = [entry.path for entry in os.scandir(folder)]
        return [sys.executable, "-m", "pylint", *self.options, *sorted(files)]

    def read(self, output: str) -> Mapping[str, LintedSource]:
        found: dict[str, list[LintRemark]] = defaultdict(list)
        for message in json.loads(output)["messages"]:
            remark = LintRemark(message["line"], message["messageId"], message["symbol"])
            found[find_base_name(message["path"])].append(remark)
        return {name: _judge(remarks) for name, remarks in found.items()}


def _judge(remarks: list[LintRemark]) -> LintedSource:
    codes = {remark.code for remark in remarks}
    if "E0001" in codes:
        return LintedSource("syntax")
    if any(code.startswith("F") for code in codes):
        return LintedSource("unjudged")
    return LintedSource("", tuple(remarks))
