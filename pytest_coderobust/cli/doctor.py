"""`coderobust doctor`: what this machine offers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.errors import CodeRobustError

if TYPE_CHECKING:
    from pytest_coderobust.sandbox.check import Sandbox

PACKAGES = (
    "pytest-coderobust", "pytest", "hypothesis", "torch", "transformers", "tokenizers",
    "safetensors", "lemminflect", "nltk", "rich", "scipy",
)  # fmt: skip
EXTRAS = ("datasets", "huggingface_hub", "pytest-xdist")


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "doctor", help="versions, devices, sandbox tier, data found, sizes of what is kept"
    )
    parser.set_defaults(command=doctor)


def doctor(_options: argparse.Namespace) -> int:
    """Prints what this machine offers: versions, devices, isolation, data."""
    sections = (
        ("versions", _list_versions()),
        ("devices", _list_devices()),
        ("sandbox", _describe_sandbox()),
        ("data", _list_data()),
        ("kept", _list_kept()),
    )
    for title, lines in sections:
        print(title)  # noqa: T201
        for name, value in lines:
            print(f"  {name:<18} {value}")  # noqa: T201
    return 0


def _list_versions() -> Iterator[tuple[str, str]]:
    yield "python", sys.version.split()[0]
    for name in (*PACKAGES, *EXTRAS):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, "not installed" + (" (optional)" if name in EXTRAS else "")


def _list_devices() -> Iterator[tuple[str, str]]:
    import os

    import torch

    yield "cpu", f"{os.cpu_count()} cores, torch would use {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            memory = torch.cuda.get_device_properties(index).total_memory / 2**30
            yield f"cuda:{index}", f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB"
    else:
        yield "cuda", "none"


def _describe_sandbox() -> Iterator[tuple[str, str]]:
    from pytest_coderobust.sandbox import open_sandbox
    from pytest_coderobust.sandbox.languages.toolchain import NEEDS, find_tools

    try:
        with open_sandbox(1) as sandbox:
            yield "tier", sandbox.tier
            yield from _list_packages(sandbox)
    except CodeRobustError as error:
        yield "tier", f"none: {error}"
    for name in NEEDS:
        tools = find_tools(name)
        yield name, tools.missing or ", ".join(tools.programs.values())


def _list_packages(sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """The packages that the project's suites use, and whether they work in the sandbox."""
    from pytest_coderobust.config.settings import read_settings
    from pytest_coderobust.config.suite import read_suite
    from pytest_coderobust.engine.keys import find_packages
    from pytest_coderobust.sandbox.packages.demand import demand_packages
    from pytest_coderobust.session.root import find_root

    for path in read_settings(find_root(Path.cwd())).suites:
        try:
            config = read_suite(path)
            if packages := find_packages(config):
                demand_packages(sandbox, packages, f"{path}: [sandbox] packages")
                yield path.stem, packages.label
        except CodeRobustError as error:
            yield path.stem, f"not usable: {error}"


def _list_data() -> Iterator[tuple[str, str]]:
    from pytest_coderobust.tasks.catalogue import DATA_SETS, locate

    for name in DATA_SETS:
        try:
            yield name, str(locate(name))
        except CodeRobustError:
            yield name, f"not found: coderobust fetch {name}"


def _list_kept() -> Iterator[tuple[str, str]]:
    """Sizes of what is kept beside the ledger; `coderobust cache` clears it."""
    from pytest_coderobust.session.kept import format_size, list_kept
    from pytest_coderobust.session.root import find_root

    for kind, entries in list_kept(find_root(Path.cwd())).items():
        size = format_size(sum(entry.size for entry in entries))
        yield kind, f"{size} in {len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
