"""Machines of a Ray cluster: asked, compared, used or refused by name; deaths lose nothing.

Ray itself is the slow tests' (test_ray_judges.py); here a module of the same names is in its place.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.hunt_model import write_suite
from support.stub_ray import StubRay

from pytest_coderobust.cli.options import add_model_options, open_command_session
from pytest_coderobust.errors import MissingExtra, SandboxError, UsageError
from pytest_coderobust.records import Tests
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.nodes.ray_cluster import connect, open_ray_sandbox
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.judges import open_judges

TESTS = Tests("assert f(2) == 4\n", "asserts")
GOOD, WRONG = "def f(x):\n    return x * x\n", "def f(x):\n    return 3\n"


def make_checks(count: int) -> list[Check]:
    return [Check((WRONG if at % 3 else GOOD) + f"# {at}\n", "f", TESTS) for at in range(count)]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StubRay]:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with ThreadPoolExecutor(12) as threads:
        stub = StubRay({"head": 0.0, "ada": 2.0, "bob": 1.0}, threads)
        stub.install(monkeypatch)
        yield stub


def weaken(node: str, name: str, found: Any) -> Any:
    """A machine "bob" whose isolation is another."""
    if node == "bob" and name == "attest":
        message = json.loads(found)
        message["facts"]["tier"] = "seccomp"
        return json.dumps(message).encode()
    return found


def test_every_machine_that_offers_processors_judges_with_all_of_them(stub: StubRay) -> None:
    with open_ray_sandbox("local") as sandbox:
        assert sandbox.notes == ("judged by 2 nodes of Ray local, 3 checks at a time",)
        assert sandbox.workers == 3
        futures = [sandbox.submit(check) for check in make_checks(30)]
        assert [future.result().full for future in futures] == [at % 3 == 0 for at in range(30)]
    assert [actor.options["num_cpus"] for actor in stub.actors] == [2, 1]
    assert not any(actor.options["scheduling_strategy"].soft for actor in stub.actors)
    assert all(actor.dead for actor in stub.actors)
    assert not stub.connected
    assert stub.settings["include_dashboard"] is False
    assert "runtime_env" not in stub.settings


def test_a_machine_of_another_tier_is_refused_by_name(stub: StubRay) -> None:
    stub.change = weaken
    with open_ray_sandbox("local") as sandbox:
        told = (
            f"not used: node bob (10.0.0.1, bob): isolation 'seccomp' there, '{sandbox.tier}' here"
        )
        assert sandbox.notes == ("judged by 1 node of Ray local, 2 checks at a time", told)
        assert sandbox.submit(make_checks(1)[0]).result().full
    assert {
        actor.options["scheduling_strategy"].node_id for actor in stub.actors if actor.dead
    } == {"ada", "bob"}


def test_no_machine_left_is_one_error_that_names_each(stub: StubRay) -> None:
    stub.machines = {"head": 0.0, "bob": 4.0, "cat": 1.0}
    stub.change = weaken
    stub.act = lambda node, *_: (
        "ModuleNotFoundError: No module named 'pytest_coderobust'" if node == "cat" else None
    )
    with pytest.raises(SandboxError) as caught:
        open_ray_sandbox("local")
    told = str(caught.value)
    assert told.startswith(
        "no node of the Ray cluster 'local' can judge: bob (10.0.0.1, bob): isolation"
    )
    assert "; cat (10.0.0.1, cat): ModuleNotFoundError: No module named 'pytest_coderobust'" in told
    assert not stub.connected


def test_a_cluster_without_processors_is_refused(stub: StubRay) -> None:
    stub.machines = {"head": 0.0}
    with pytest.raises(SandboxError, match="can judge: none offers a processor"):
        open_ray_sandbox("local")


def test_an_actor_that_dies_is_started_again_and_its_checks_are_judged(stub: StubRay) -> None:
    deaths: list[str] = []

    def die_once(node: str, name: str, arguments: Any) -> str | None:
        if name == "judge" and node == "ada" and not deaths:
            deaths.append(node)
            return "out of memory"
        return None

    stub.act = die_once
    with open_ray_sandbox("local") as sandbox:
        futures = [sandbox.submit(check) for check in make_checks(30)]
        assert [future.result().full for future in futures] == [at % 3 == 0 for at in range(30)]
    assert deaths == ["ada"]
    assert len(stub.actors) == 3


def test_a_machine_that_left_is_done_without(stub: StubRay) -> None:
    def leave(node: str, name: str, arguments: Any) -> str | None:
        if name == "judge" and node == "ada":
            stub.machines = {"head": 0.0, "bob": 1.0}
            return "its node died"
        return None

    stub.act = leave
    with open_ray_sandbox("local") as sandbox:
        futures = [sandbox.submit(check) for check in make_checks(30)]
        assert [future.result().full for future in futures] == [at % 3 == 0 for at in range(30)]
    assert len(stub.actors) == 2


def test_the_session_names_cluster_and_lanes(
    stub: StubRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, notes = open_judges(Choices(judges="ray", sandbox_workers=1))
    sandbox.close()
    assert notes == ("judged by 2 nodes of Ray local, 2 checks at a time",)
    assert stub.settings["address"] == "local"
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UsageError, match=r"no Ray cluster answers at '127\.0\.0\.1:1': "):
        open_judges(Choices(judges="ray"))


@pytest.mark.parametrize(
    "address",
    [
        "auto",
        "ray://127.0.0.1:1",
        "127.0.0.1:many",
        "127.0.0.1:99999",
        "a..b:6379",
        "a" * 64 + ":1",
    ],
)
def test_addresses_that_cannot_be_are_one_sentence(
    stub: StubRay, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UsageError, match=f"Ray.*'{address}'"):
        connect(address)
    assert not stub.connected


def test_a_command_tells_who_judges_and_who_does_not(
    stub: StubRay,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stub.change = weaken
    write_suite(tmp_path)
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    add_model_options(parser)
    typed = parser.parse_args(["--model=oracle", "--judges=ray"])
    typed.suite = "toy.toml"
    with open_command_session(typed) as session:
        assert session.verdicts.tier
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "coderobust: judged by 1 node of Ray local, 2 checks at a time"
    assert told[1].startswith("coderobust: not used: node bob (10.0.0.1, bob): isolation ")
    assert len(told) == 2


def test_a_connection_of_somebody_else_is_used_and_left_open(stub: StubRay) -> None:
    stub.connected = True
    with open_ray_sandbox("10.0.0.9:6379") as sandbox:
        assert sandbox.workers == 3
    assert stub.connected
    assert stub.settings == {}


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install 'pytest-coderobust\[ray\]'"):
        connect("local")
