"""Identities of served models: tiers, generations, verification and demands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.models_checkpoints import save_random
from support.scripted_server import serve
from support.served_contacts import OBSERVED, checkpoint, contact

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import IdentityDemand


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("served") / "model", window=512)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_random(tmp_path_factory.mktemp("served") / "other", window=512, seed=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def test_observed_identities_are_of_their_ledger(folder: Path, tmp_path: Path) -> None:
    names: list[str] = []
    with serve(checkpoint(folder)) as server:
        for place in ("a", "b"):
            ledger = Ledger(tmp_path / place)
            known = contact(server)
            known.meet(ledger, OBSERVED)
            names.append(known.identity.digest)
            ledger.close()
    assert len(set(names)) == 2


def test_stated_identities_are_the_same_in_every_ledger_and_at_every_address(
    folder: Path, tmp_path: Path
) -> None:
    names: list[str] = []
    for place in ("a", "b"):
        with serve(checkpoint(folder)) as server:
            ledger = Ledger(tmp_path / place)
            known = contact(server, stated=folder)
            known.meet(ledger, OBSERVED)
            names.append(known.identity.digest)
            ledger.close()
    assert len(set(names)) == 1
    assert known.identity.facts["identity"].startswith("verified: weights ")


def test_a_new_generation_is_made_once_a_session_and_stays(folder: Path, ledger: Ledger) -> None:
    with serve(checkpoint(folder)) as server:
        for stated in ("", "sha256:" + "1" * 64):
            first = contact(server, stated=stated)
            first.meet(ledger, OBSERVED)
            began = time.time()
            renewed = [contact(server, stated=stated) for _ in range(2)]
            for each in renewed:  # two processes of one session
                each.meet(ledger, IdentityDemand(renewed=began))
            assert renewed[0].identity.digest == renewed[1].identity.digest
            assert renewed[0].identity.digest != first.identity.digest
            later = contact(server, stated=stated)
            later.meet(ledger, OBSERVED)
            assert later.identity.digest == renewed[0].identity.digest


def test_stated_weights_are_verified_or_refused(folder: Path, other: Path, ledger: Ledger) -> None:
    with serve(checkpoint(folder)) as server:
        known = contact(server, stated=folder)
        known.meet(ledger, IdentityDemand("verified"))
        assert known.identity.facts["identity"].startswith("verified: weights ")
        with pytest.raises(ModelError, match="does not answer as the weights that are stated"):
            contact(server, stated=other).meet(ledger, OBSERVED)
    with serve(checkpoint(folder, noise=0.001)) as server:
        near = contact(server, stated=folder)
        with pytest.raises(UsageError, match=r"log-probabilities are up to 0\.01\d* away"):
            near.meet(ledger_beside(ledger), IdentityDemand("verified"))


def ledger_beside(ledger: Ledger) -> Ledger:
    """Another ledger, which knows no model."""
    return Ledger(ledger.path.with_name("other.sqlite"))


@pytest.mark.parametrize(
    ("form", "stated", "tier", "told"),
    [
        ("completions", "", "stated", "no weights are stated for it; state what"),
        ("none", "", "stated", "no weights are stated for it"),
        ("none", "FOLDER", "verified", "gives no log-probabilities, which alone"),
        ("completions", "sha256:" + "2" * 64, "verified", "not a folder on this machine"),
    ],
)
def test_a_demand_that_is_not_met_is_a_usage_error(
    folder: Path, ledger: Ledger, form: Any, stated: str, tier: Any, told: str
) -> None:
    with serve(checkpoint(folder, form=form)) as server:
        known = contact(server, stated=folder if stated == "FOLDER" else stated)
        with pytest.raises(UsageError, match=told) as caught:
            known.meet(ledger, IdentityDemand(tier))
    assert str(caught.value).startswith(f"--coderobust-demand-identity={tier}: model 'prod': ")


def test_a_server_without_log_probabilities_may_be_stated(folder: Path, ledger: Ledger) -> None:
    with serve(checkpoint(folder, form="none")) as server:
        known = contact(server, stated=folder)
        known.meet(ledger, IdentityDemand("stated"))
    assert known.identity.facts["identity"].startswith("stated: weights ")
