"""`coderobust doctor`: what this machine offers, or what a model is and says of itself."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_coderobust.cli.command import Commands
from pytest_coderobust.cli.options import add_rows, read_choices
from pytest_coderobust.errors import CodeRobustError, ModelError
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.session.options import OPTIONS

if TYPE_CHECKING:
    from pytest_coderobust.sandbox.check import Sandbox

PACKAGES = (
    "pytest-coderobust", "pytest", "hypothesis", "torch", "transformers", "tokenizers",
    "safetensors", "lemminflect", "nltk", "rich", "scipy",
)  # fmt: skip
MODEL_NAMES = tuple(option.name for option in OPTIONS if option.group == "model")
INTERRUPTED = 2
"""pytest's exit status where a session ends before it has run."""

WIDTH = 500
"""Characters of a value that are shown."""

EXTRAS = ("datasets", "huggingface_hub", "pytest-xdist")


def register(commands: Commands) -> None:
    parser = commands.add_parser(
        "doctor",
        help="versions, devices, sandbox tier, data found, sizes of what is kept; with --model, "
        "the model",
    )
    add_rows(parser, ["model"])
    add_rows(parser.add_argument_group("model, as in pytest"), MODEL_NAMES)
    parser.set_defaults(command=doctor)


def doctor(options: argparse.Namespace) -> int:
    """Prints what this machine offers, or with `--model` what the model is and says of itself.

    A served model is shaken hands with, by at most twelve small requests; nothing is kept. The exit
    status is the one that pytest ends with: 0, 2 where the model cannot be asked, 4 for a name or
    an option that is wrong.

    Raises:
        UsageError, ConfigError: the model's name, an option or the project's settings are wrong.
    """
    if options.model is not None:
        try:
            _print_section("model", _describe_model(options))
        except ModelError as error:
            print(f"coderobust: {error}", file=sys.stderr)  # noqa: T201
            return INTERRUPTED
        return 0
    sections = (
        ("versions", _list_versions()),
        ("devices", _list_devices()),
        ("sandbox", _describe_sandbox()),
        ("data", _list_data()),
        ("kept", _list_kept()),
    )
    for title, lines in sections:
        _print_section(title, lines)
    return 0


def _print_section(title: str, lines: Iterable[tuple[str, str]]) -> None:
    print(title)  # noqa: T201
    for name, value in lines:
        print(f"  {name:<18} {escape(value, WIDTH)}")  # noqa: T201


def _describe_model(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Describes the chosen model: of a served one, the facts of its handshake.

    Raises:
        CodeRobustError: as `doctor`.
    """
    from pytest_coderobust.config.settings import read_settings
    from pytest_coderobust.session.models import open_model
    from pytest_coderobust.session.root import find_root

    choices = read_choices(options, ["model", *MODEL_NAMES])
    backend = open_model(choices, read_settings(find_root(Path.cwd())))
    try:
        check: Callable[[], None] | None = getattr(backend, "check_claims", None)
        if check is not None:
            check()
        identity = backend.identity
        return [("name", identity.name), *identity.facts.items()]
    finally:
        backend.close()


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
