"""Ruff, the quick variant: other rules than pylint's, and no score."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_coderobust.errors import UsageError
from pytest_coderobust.linters.linter import find_base_name, find_distribution, name_python
from pytest_coderobust.records.lint import LintedSource, LintRemark

_CODE = re.compile(r"[A-Z]+[0-9]+")


@dataclass(frozen=True, slots=True)
class Ruff:
    """Ruff under all of its stable rules, without any configuration of the user's."""

    name: str = "ruff"
    options: tuple[str, ...] = (
        "--isolated",
        "--no-cache",
        "--quiet",
        "--select=ALL",
        "--ignore-noqa",
        "--exit-zero",
        "--output-format=json",
        f"--target-version=py{sys.version_info.major}{sys.version_info.minor}",
    )

    def find_version(self) -> str:
        version = find_distribution("ruff")
        if version is None:
            raise UsageError("--quality ruff needs the program ruff: pip install ruff")
        return f"ruff {version}, {name_python()}"

    def quiet(self, source: str) -> str:
        return source  # --ignore-noqa does it

    def make_command(self, folder: str) -> list[str]:
        return [sys.executable, "-m", "ruff", "check", *self.options, folder]

    def read(self, output: str) -> Mapping[str, LintedSource]:
        found: dict[str, list[LintRemark]] = defaultdict(list)
        broken: set[str] = set()
        for message in json.loads(output):
            name = find_base_name(message["filename"])
            code = message["code"] or ""
            if not _CODE.fullmatch(code):  # null or "invalid-syntax", as the version has it
                broken.add(name)
            found[name].append(LintRemark(message["location"]["row"], code))
        return {
            name: LintedSource("syntax") if name in broken else LintedSource("", tuple(remarks))
            for name, remarks in found.items()
        }
