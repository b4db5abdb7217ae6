"""`coderobust fetch`: download a data set into the cache and verify it."""

from __future__ import annotations

import argparse

from pytest_coderobust.cli.command import Commands


def register(commands: Commands) -> None:
    parser = commands.add_parser("fetch", help="download a data set into the cache")
    parser.add_argument("name", help="humaneval, mbpp, ...")
    parser.set_defaults(command=fetch)


def fetch(options: argparse.Namespace) -> int:
    """Downloads a data set into the cache and verifies it."""
    from pytest_coderobust.tasks.fetch import fetch as fetch_data

    print(fetch_data(options.name))  # noqa: T201
    return 0
