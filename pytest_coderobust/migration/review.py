"""The review of a benchmark: `changes.toml` as a person left it, against what was built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from pytest_coderobust.config.table import read_toml
from pytest_coderobust.errors import ConfigError
from pytest_coderobust.migration.benchmark import Benchmark
from pytest_coderobust.migration.change_file import read_change_tables
from pytest_coderobust.migration.pairs import ChangePair
from pytest_coderobust.migration.splitting import Share

SUBSETS = ("reliability", "generalisation")


@dataclass(frozen=True, slots=True)
class Review:
    """The content of a built `changes.toml`.

    Attributes:
        built: its `[build]` table.
        kept: by API, the tasks that are left of its change.
        specificity: the tasks that are left of them.
    """

    built: Mapping[str, object]
    kept: Mapping[str, frozenset[str]]
    specificity: frozenset[str]


def read_review(path: Path) -> Review:
    """Reads a built `changes.toml`.

    Raises:
        ConfigError: it is malformed, or was not built.
    """
    document = read_toml(path)
    built = document.get("build")
    if not isinstance(built, dict):
        raise ConfigError(f"{path}: there is no [build] table: `coderobust build-apis` wrote none")
    kept: dict[str, frozenset[str]] = {}
    for table in read_change_tables(path):
        tasks = [task for subset in SUBSETS for task in _read_ids(path, table, subset)]
        kept[str(table.get("old"))] = frozenset(tasks)
    values = cast("dict[str, object]", built)
    beside = frozenset(_read_ids(path, document, "specificity"))
    return Review(values, kept, beside)


def _read_ids(path: Path, table: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list):
        raise ConfigError(f"{path}: {key!r} must be a list of task ids, not {value!r}")
    return tuple(map(str, cast("list[object]", value)))


def apply_review(benchmark: Benchmark, review: Review) -> Benchmark:
    """Leaves out what the reviewer deleted: whole changes, and tasks."""
    shares = {
        api: Share(
            _keep(share.reliability, review.kept[api]),
            _keep(share.generalisation, review.kept[api]),
        )
        for api, share in benchmark.shares.items()
        if api in review.kept
    }
    beside = [each for each in benchmark.specificity if each.task.id in review.specificity]
    changes = {api: benchmark.changes[api] for api in shares}
    return replace(benchmark, shares=shares, changes=changes, specificity=tuple(beside))


def _keep(pairs: Iterable[ChangePair], tasks: frozenset[str]) -> tuple[ChangePair, ...]:
    return tuple(pair for pair in pairs if pair.key[1] in tasks)
