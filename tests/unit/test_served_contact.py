"""Contact with a served model: first contact, looks, swaps, replicas, tiers and demands."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.models_checkpoints import save_random
from support.scripted_server import Asked, ScriptedServer, Told, serve
from support.served_checkpoint import ServedCheckpoint

from pytest_coderobust.engine.guarding import Guard
from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import IdentityDemand, Look, OwnPrompt
from pytest_coderobust.models.options import ModelSpec
from pytest_coderobust.models.oracle import Oracle
from pytest_coderobust.models.served.answers import AnswerSigns, read_signs
from pytest_coderobust.models.served.canary import CANARIES, TOKENS, Canary
from pytest_coderobust.models.served.canary_asking import CanaryAsker
from pytest_coderobust.models.served.contact import ContactPlan, ServedContact
from pytest_coderobust.models.served.handshake_claims import ListedModel
from pytest_coderobust.models.served.identity import ServedSubject
from pytest_coderobust.models.served.identity_verification import verify
from pytest_coderobust.models.served.identity_weights import find_stated_weights
from pytest_coderobust.models.served.transport import PooledTransport
from pytest_coderobust.records import Completion, ModelIdentity

OBSERVED = IdentityDemand()


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


def checkpoint(folder: Path, **options: Any) -> ServedCheckpoint:
    return ServedCheckpoint(folder, window=512, **options)


def asker(url: str, *, chat: bool = False) -> CanaryAsker:
    def make_body(canary: Canary, tokens: int) -> Mapping[str, object]:
        said: dict[str, object] = {"prompt": canary.prompt}
        if chat:
            said = {"messages": [{"role": "user", "content": canary.prompt}]}
        return {"model": "served", "max_tokens": tokens, "temperature": 0.0, **said}

    def check(body: object) -> None:
        if (signs := read_signs(body)) != AnswerSigns("served", "vllm-0.32.0-1f0182db"):
            raise ModelError(f"the server answered as {signs}")

    return CanaryAsker(PooledTransport(url, {}), make_body, check, "the server", chat=chat)


def contact(*servers: ScriptedServer, stated: Path | str = "", **options: Any) -> ServedContact:
    chat = options.pop("chat", False)
    subject = ServedSubject(
        label="prod",
        origins=tuple(server.url for server in servers),
        model="served",
        answered="served",
        kind="vllm",
        version="0.32.0",
        fingerprint="vllm-0.32.0-1f0182db",
        claims=ListedModel("served"),
        facts={"model": "served"},
    )
    weights = find_stated_weights("prod", str(stated))
    here = weights is not None and weights.checkpoint is not None
    return ServedContact(
        ContactPlan(
            subject=subject,
            weights=weights.digest if weights else "",
            servers=[(server.url, asker(server.url, chat=chat)) for server in servers],
            verify=(lambda found: verify(ModelSpec(str(stated)), found)) if here else None,
            small=here,
            **options,
        )
    )


class Contacted(Oracle):
    """A backend whose identity a contact decides."""

    def __init__(self, known: ServedContact) -> None:
        super().__init__()
        self.contact = known

    @property
    def identity(self) -> ModelIdentity:
        return self.contact.identity

    def look(self, own: tuple[OwnPrompt, ...] = ()) -> Look:
        return self.contact.look(own)


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


def test_a_canary_that_another_name_answers_ends_the_look(folder: Path, ledger: Ledger) -> None:
    with serve(checkpoint(folder)) as server:
        known = contact(server)
        known.meet(ledger, OBSERVED)
        for other in ({"name": "served-2026-12"}, {"fingerprint": "vllm-0.33.0-abcdef01"}):
            server.script = checkpoint(folder, **other)
            with pytest.raises(ModelError, match="the server answered as AnswerSigns"):
                known.look()
