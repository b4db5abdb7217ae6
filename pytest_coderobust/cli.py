"""`coderobust`: what is needed around a test run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata

from pytest_coderobust.errors import CodeRobustError, UsageError

PACKAGES = (
    "pytest-coderobust", "pytest", "hypothesis", "torch", "transformers", "tokenizers",
    "safetensors", "lemminflect", "nltk", "rich", "scipy",
)  # fmt: skip
EXTRAS = ("datasets", "huggingface_hub", "pytest-xdist")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is 0, 1 for a failure, 2 or 4 for a wrong request."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except UsageError as error:
        print(f"coderobust: {error}", file=sys.stderr)  # noqa: T201
        return 4
    except CodeRobustError as error:
        print(f"coderobust: {error}", file=sys.stderr)  # noqa: T201
        return 1


def doctor(_options: argparse.Namespace) -> int:
    """Prints what this machine offers: versions, devices, isolation, data."""
    sections = (
        ("versions", _versions()),
        ("devices", _devices()),
        ("sandbox", _sandbox()),
        ("data", _data()),
    )
    for title, lines in sections:
        print(title)  # noqa: T201
        for name, value in lines:
            print(f"  {name:<18} {value}")  # noqa: T201
    return 0


def fetch(options: argparse.Namespace) -> int:
    """Downloads a data set into the cache and verifies it."""
    from pytest_coderobust.tasks.fetch import fetch as fetch_data

    path = fetch_data(options.name)
    print(path)  # noqa: T201
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="coderobust",
        description="Robustness regression testing of code models; the tests themselves are "
        "run by pytest: pytest SUITE.toml --model MODEL",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    about = commands.add_parser("doctor", help="versions, devices, sandbox tier, data found")
    about.set_defaults(command=doctor)
    download = commands.add_parser("fetch", help="download a data set into the cache")
    download.add_argument("name", help="humaneval, mbpp, ...")
    download.set_defaults(command=fetch)
    return parser


def _versions() -> Iterator[tuple[str, str]]:
    yield "python", sys.version.split()[0]
    for name in (*PACKAGES, *EXTRAS):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, "not installed" + (" (optional)" if name in EXTRAS else "")


def _devices() -> Iterator[tuple[str, str]]:
    import os

    import torch

    yield "cpu", f"{os.cpu_count()} cores, torch would use {torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            memory = torch.cuda.get_device_properties(index).total_memory / 2**30
            yield f"cuda:{index}", f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB"
    else:
        yield "cuda", "none"


def _sandbox() -> Iterator[tuple[str, str]]:
    from pytest_coderobust.sandbox import open_sandbox

    try:
        with open_sandbox(1) as sandbox:
            yield "tier", sandbox.tier
    except CodeRobustError as error:
        yield "tier", f"none: {error}"


def _data() -> Iterator[tuple[str, str]]:
    from pytest_coderobust.tasks.location import DATA_SETS, locate

    for name in DATA_SETS:
        try:
            yield name, str(locate(name))
        except CodeRobustError:
            yield name, f"not found: coderobust fetch {name}"


if __name__ == "__main__":
    raise SystemExit(main())
