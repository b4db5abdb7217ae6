"""Judging on a Ray cluster of two nodes: the local verdicts, whatever becomes of the nodes."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Project
from support.ray_cluster import open_cluster, open_restricted_node, require_ray

from pytest_coderobust.errors import UsageError
from pytest_coderobust.records import Limits, Tests, Verdict
from pytest_coderobust.sandbox import open_sandbox
from pytest_coderobust.sandbox.check import Check, Sandbox
from pytest_coderobust.sandbox.nodes.ray_cluster import open_ray_sandbox

pytestmark = pytest.mark.slow  # the cut version is test_sandbox_ray.py

LIMITS = Limits(cpu_seconds=1.0, call_seconds=0.5, wall_seconds=20.0)
NO_NAMESPACES = "unshare,mount,pivot_root"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with open_cluster(2) as found:
        yield found


@pytest.fixture(scope="module")
def checks() -> list[Check]:
    """1,640 completions of CodeGen-16B for HumanEval."""
    folder = os.environ.get("CODEROBUST_DATA")
    if not folder:
        pytest.skip("CODEROBUST_DATA is not set")
    data = Path(folder)
    with gzip.open(next(data.glob("**/HumanEval.jsonl.gz")), "rt") as stream:
        tasks = {row["task_id"]: row for row in map(json.loads, stream)}
    with gzip.open(data / "completions" / "humaneval_codegen16b_t0.8_n10.jsonl.gz", "rt") as stream:
        rows = [json.loads(line) for line in stream]
    return [
        Check(
            tasks[row["task_id"]]["prompt"] + row["completion"],
            tasks[row["task_id"]]["entry_point"],
            Tests(tasks[row["task_id"]]["test"], "check", tasks[row["task_id"]]["prompt"]),
            LIMITS,
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def local(checks: list[Check]) -> list[Verdict]:
    with open_sandbox(2) as sandbox:
        return settle(submit(sandbox, checks))


def submit(sandbox: Sandbox, checks: list[Check]) -> list[Future[Verdict]]:
    return [sandbox.submit(check) for check in checks]


def settle(futures: list[Future[Verdict]]) -> list[Verdict]:
    """The verdicts without their times, which no two runs share."""
    return [replace(future.result(timeout=1200), cpu_seconds=0.0) for future in futures]


def test_two_nodes_reach_the_verdicts_of_the_local_pool(
    cluster: Any, checks: list[Check], local: list[Verdict]
) -> None:
    assert len(checks) == 1640
    with open_ray_sandbox(cluster.address) as sandbox:
        assert sandbox.workers == 2
        assert sandbox.notes == (f"judged by 2 nodes of Ray {cluster.address}, 2 checks at a time",)
        found = settle(submit(sandbox, checks))
    differing = [
        at for at, (ours, there) in enumerate(zip(local, found, strict=True)) if ours != there
    ]
    assert differing == []


def test_a_node_removed_in_mid_run_loses_nothing(
    cluster: Any, checks: list[Check], local: list[Verdict]
) -> None:
    third = cluster.add_node(num_cpus=1)
    some = slice(0, 1640, 5)
    with open_ray_sandbox(cluster.address) as sandbox:
        assert sandbox.workers == 3
        futures = submit(sandbox, checks[some])
        wait(futures[: len(futures) // 3])
        cluster.remove_node(third, allow_graceful=False)
        assert settle(futures) == local[some]


def test_a_node_of_another_tier_is_refused_by_name(cluster: Any) -> None:
    with (
        open_restricted_node(cluster.address, NO_NAMESPACES),
        open_ray_sandbox(cluster.address) as sandbox,
    ):
        assert (sandbox.tier, sandbox.workers) == ("ns", 2)
        (used, refused) = sandbox.notes
        assert used.startswith("judged by 2 nodes")
        assert refused.startswith("not used: node ")
        assert "isolation 'no-ns' there, 'ns' here" in refused


def test_a_run_says_who_judges_and_keeps_verdicts_as_the_local_pool_does(
    cluster: Any, project: Project
) -> None:
    project.write_suite('perturbations = ["C1"]')
    there = project.run("toy.toml", "--model=oracle", f"--coderobust-judges=ray:{cluster.address}")
    there.stdout.fnmatch_lines(
        ["coderobust: sandbox ns", "coderobust: judged by 2 nodes of Ray *, 2 checks at a time"]
    )
    assert there.ret == 0
    kept = list_verdicts(project)
    assert len(kept) >= 6
    assert project.run("toy.toml", "--model=oracle").ret == 0
    assert list_verdicts(project) == kept  # nothing was judged again


def list_verdicts(project: Project) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(project.path / ".coderobust" / "ledger.sqlite")) as ledger:
        return sorted(ledger.execute("SELECT key, level, passed, total, tier FROM verdicts"))


def test_an_address_where_nobody_listens_is_one_sentence() -> None:
    require_ray()
    with pytest.raises(UsageError, match=r"no Ray cluster answers at '127\.0\.0\.1:1': "):
        open_ray_sandbox("127.0.0.1:1")
