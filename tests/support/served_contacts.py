"""Contacts with a checkpoint behind a scripted server, and a backend that one decides about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.backend import IdentityDemand, Look, OwnPrompt
from pytest_coderobust.models.options import ModelSpec
from pytest_coderobust.models.oracle import Oracle
from pytest_coderobust.models.served.answers import AnswerSigns, read_signs
from pytest_coderobust.models.served.canary import Canary
from pytest_coderobust.models.served.canary_asking import CanaryAsker
from pytest_coderobust.models.served.contact import ContactPlan, ServedContact
from pytest_coderobust.models.served.handshake_claims import ListedModel
from pytest_coderobust.models.served.identity import ServedSubject
from pytest_coderobust.models.served.identity_verification import verify
from pytest_coderobust.models.served.identity_weights import find_stated_weights
from pytest_coderobust.models.served.transport import PooledTransport
from pytest_coderobust.records import ModelIdentity
from support.scripted_server import ScriptedServer
from support.served_checkpoint import ServedCheckpoint

OBSERVED = IdentityDemand()


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
