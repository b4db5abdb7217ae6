"""Contact with a served model: first contact, looks, swaps and replicas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.models_checkpoints import save_random
from support.scripted_server import Asked, Told, serve
from support.served_checkpoint import ServedCheckpoint
from support.served_contacts import OBSERVED, Contacted, checkpoint, contact

from pytest_coderobust.engine.guarding import Guard
from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import IdentityDemand, Look
from pytest_coderobust.models.served.canary import CANARIES, TOKENS
from pytest_coderobust.records import Completion


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


@pytest.mark.parametrize("form", ["completions", "chat"])
def test_a_model_is_met_once_and_then_looked_at(folder: Path, ledger: Ledger, form: Any) -> None:
    with serve(checkpoint(folder, form=form)) as server:
        first = contact(server)
        first.meet(ledger, OBSERVED)
        asked = len(server.asked)
        assert asked == 3 * len(CANARIES) + 8
        assert {each.headers["connection"] for each in server.asked} == {"close"}
        assert "echo" not in str(server.bodies("/completions"))
        second = contact(server)
        second.meet(ledger, OBSERVED)
        assert len(server.asked) == asked  # the ledger knows it
        assert second.identity == first.identity
        assert second.look() == Look(same=True)
        assert len(server.asked) == asked + 8 + len(CANARIES)
    assert first.identity.facts["identity"].startswith("observed: generation ")
    assert first.identity.facts["canary"] == (
        "5 prompts and the suite's first; log-probabilities within 0.001"
    )


def test_a_swap_is_found_by_its_text_and_what_came_since_is_gone(
    folder: Path, other: Path, ledger: Ledger
) -> None:
    with serve(checkpoint(folder)) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        guard = Guard(Contacted(known), ledger)
        guard.begin()
        guard.store({"early": Completion("a", "eos")})
        guard.look()
        guard.store({"late": Completion("b", "eos")})
        server.script = checkpoint(other)
        with pytest.raises(ModelError) as caught:
            guard.end_window()
    told = str(caught.value)
    assert "another model answers than before at http://127.0.0.1" in told
    assert "canary 'code' was answered '" in told
    assert "it was last the same at 20" in told
    assert "--coderobust-new-generation" in told
    assert told.endswith("forgotten answers since the last good look: 1")
    assert set(ledger.completions(["early", "late"])) == {"early"}


def test_a_swap_that_moves_no_text_is_found_by_its_log_probabilities(
    folder: Path, ledger: Ledger
) -> None:
    slight = checkpoint(folder, noise=0.001)
    with serve(checkpoint(folder)) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        server.script = slight
        found = known.look()
    assert not found.same
    assert " as before, but the log-probability of token " in found.told
    assert "(tolerance 0.001)" in found.told


def test_text_alone_does_not_see_that_swap_and_the_fact_says_so(
    folder: Path, other: Path, ledger: Ledger
) -> None:
    with serve(checkpoint(folder, form="none")) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        assert "; text only" in known.identity.facts["canary"]
        server.script = checkpoint(other, form="none")
        found = known.look()
    assert not found.same
    assert "(the texts part)" in found.told


def test_a_server_that_refuses_log_probabilities_is_asked_without(
    folder: Path, ledger: Ledger
) -> None:
    with serve(checkpoint(folder, form="refused")) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        asked = [body.get("logprobs") for body in server.bodies("/completions")]
    assert asked == [5, *[None] * (3 * len(CANARIES) + 8)]
    assert "text only" in known.identity.facts["canary"]


def test_the_chat_form_is_asked_by_chat(folder: Path, ledger: Ledger) -> None:
    with serve(checkpoint(folder)) as server:
        known = contact(server, chat=True)
        known.meet(ledger, OBSERVED)
        body = server.bodies("/chat/completions")[0]
    assert (body["logprobs"], body["top_logprobs"], body["max_tokens"]) == (True, 5, TOKENS)
    assert "log-probabilities within" in known.identity.facts["canary"]


class Alternating:
    """Two models behind one address, which answer in turn."""

    def __init__(self, *scripts: ServedCheckpoint) -> None:
        self.scripts = scripts

    def __call__(self, asked: Asked) -> Told:
        return self.scripts[asked.place % len(self.scripts)](asked)


def test_replicas_with_other_weights_are_refused(folder: Path, other: Path, ledger: Ledger) -> None:
    with (
        serve(Alternating(checkpoint(folder), checkpoint(other))) as server,
        pytest.raises(ModelError, match="several models answer in turn at"),
    ):
        contact(server).meet(ledger, OBSERVED)


def test_a_replica_that_joins_later_is_found(folder: Path, other: Path, ledger: Ledger) -> None:
    with serve(checkpoint(folder)) as server:
        contact(server).meet(ledger, OBSERVED)
        server.script = Alternating(checkpoint(folder), checkpoint(other))
        later = contact(server)
        later.meet(ledger, OBSERVED)
        found = later.look()
    assert "several models answer in turn" in found.told


def test_replicas_that_differ_slightly_make_a_weak_identity(folder: Path, ledger: Ledger) -> None:
    pair = Alternating(checkpoint(folder), checkpoint(folder, noise=0.001))
    with serve(pair) as server:
        known = contact(server, stated="sha256:" + "0" * 64)
        known.meet(ledger, OBSERVED)
        assert known.identity.facts["identity"].startswith("stated, weak: weights 000000000000")
        with pytest.raises(UsageError, match="demand-identity=stated: model 'prod': its server"):
            contact(server, stated="sha256:" + "0" * 64).meet(ledger, IdentityDemand("stated"))


def test_a_second_server_of_an_entry_must_answer_alike(
    folder: Path, other: Path, ledger: Ledger
) -> None:
    with serve(checkpoint(folder)) as one, serve(checkpoint(folder)) as two:
        contact(one, two).meet(ledger, OBSERVED)
        two.script = checkpoint(other)
        found = contact(two, one)
        found.meet(ledger, OBSERVED)  # known by both addresses, in whatever order
        assert two.url in found.look().told
    with (
        serve(checkpoint(folder)) as one,
        serve(checkpoint(other)) as two,
        pytest.raises(ModelError, match="than at the entry's first server at"),
    ):
        contact(one, two).meet(ledger, OBSERVED)


def test_noise_of_now_is_told_from_another_model(folder: Path, ledger: Ledger) -> None:
    with serve(checkpoint(folder)) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        server.script = checkpoint(folder, jitter=0.01)  # now under load
        assert known.look().same
        server.script = checkpoint(folder, noise=0.001)
        assert not known.look().same


def test_the_suites_own_prompt_joins_and_is_met_once(
    folder: Path, other: Path, ledger: Ledger
) -> None:
    own = ("def twice(x):\n", "python")
    with serve(checkpoint(folder)) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        before = len(server.asked)
        assert known.look([own]).same
        asked = [body["prompt"] for body in server.bodies("/completions")[before:]]
        assert asked.count(own[0]) == 3
        again = contact(server)
        again.meet(ledger, OBSERVED)
        assert again.identity == known.identity  # its facts, too
        before = len(server.asked)
        again.look([own])
        asked = [body["prompt"] for body in server.bodies("/completions")[before:]]
        assert asked.count(own[0]) == 1


def test_another_model_leaves_no_reference_of_a_new_prompt(
    folder: Path, other: Path, ledger: Ledger
) -> None:
    own = ("def twice(x):\n", "python")
    with serve(checkpoint(folder)) as server:
        contact(server).meet(ledger, OBSERVED)
        server.script = checkpoint(other)
        swapped = contact(server)
        swapped.meet(ledger, OBSERVED)
        assert not swapped.look([own]).same
        server.script = checkpoint(folder)
        back = contact(server)
        back.meet(ledger, OBSERVED)
        assert back.look([own]) == Look(same=True)
        assert back.look([own]) == Look(same=True)


@pytest.mark.parametrize(("failures", "found"), [(2, True), (3, False)])
def test_a_failure_of_the_servers_code_is_asked_again(
    folder: Path, ledger: Ledger, failures: int, found: bool
) -> None:
    with serve(checkpoint(folder)) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        script, start = server.script, len(server.asked)
        server.script = lambda asked: (
            Told({}, 500) if asked.place < start + failures else script(asked)
        )
        if found:
            assert known.look().same
        else:
            with pytest.raises(ModelError, match="answers a canary with 500"):
                known.look()


def test_a_canary_that_the_window_has_no_room_for_is_left_out(folder: Path, ledger: Ledger) -> None:
    with serve(ServedCheckpoint(folder, window=256)) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        assert "1 too long for its window" in known.identity.facts["canary"]
        assert known.look().same


def test_a_canary_that_another_name_answers_ends_the_look(folder: Path, ledger: Ledger) -> None:
    with serve(checkpoint(folder)) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        for other in ({"name": "served-2026-12"}, {"fingerprint": "vllm-0.33.0-abcdef01"}):
            server.script = checkpoint(folder, **other)
            with pytest.raises(ModelError, match="the server answered as AnswerSigns"):
                known.look()
