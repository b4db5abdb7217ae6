"""A served model whose identity is guarded: met once in a session, and looked at now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

from pytest_coderobust.errors import CodeRobustError, ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import IdentityDemand, Look, OwnPrompt
from pytest_coderobust.models.fingerprint import file_digest
from pytest_coderobust.models.options import ModelSpec
from pytest_coderobust.models.prompts import template_of
from pytest_coderobust.models.served.answers import read_signs
from pytest_coderobust.models.served.backend import SERVED, ServedBackend
from pytest_coderobust.models.served.canary import CANARIES, Canary, read_canaries
from pytest_coderobust.models.served.canary_asking import CanaryAsker
from pytest_coderobust.models.served.canary_reference import CanaryReference
from pytest_coderobust.models.served.contact import ContactPlan, ServedContact
from pytest_coderobust.models.served.handshake import Handshake
from pytest_coderobust.models.served.handshake_claims import ListedModel
from pytest_coderobust.models.served.handshake_terms import STEADY
from pytest_coderobust.models.served.identity import ServedSubject
from pytest_coderobust.models.served.identity_claims import refute_claims, refute_tokens
from pytest_coderobust.models.served.identity_names import AnsweringNames, refute_names
from pytest_coderobust.models.served.identity_verification import (
    ROOM,
    SMALL,
    Verification,
    estimate_bytes,
    find_memory,
    verify,
)
from pytest_coderobust.models.served.identity_weights import StatedWeights, find_stated_weights
from pytest_coderobust.models.served.lanes import Lane
from pytest_coderobust.models.served.transport import TransportError
from pytest_coderobust.records import (
    Cell,
    Language,
    ModelIdentity,
    Row,
    Sampling,
    Task,
    Tests,
    Variant,
)

TELLS_TOKENS = ("vllm", "llamacpp", "sglang")
"""Kinds of servers that tell a text's token ids."""


class GuardedServer(ServedBackend):
    """A served model that is met when its identity is first read."""

    _memory: Callable[[], Ledger] | None = None
    _demand = IdentityDemand()
    _refused: CodeRobustError | None = None

    def remember(self, memory: Callable[[], Ledger], demand: IdentityDemand) -> None:
        """Says where contacts are kept; see `Guarded`."""
        self._memory = memory
        self._demand = demand

    @property
    def identity(self) -> ModelIdentity:
        """The identity; without a memory nothing but what the server says of itself.

        Raises:
            ModelError, UsageError: as `meet`; what was refused once is refused again unasked.
        """
        if self._memory is None:
            return super().identity
        if self._refused is not None:
            raise self._refused
        if not self.contact_made:
            try:
                self.meet(self._memory(), self._demand)
            except CodeRobustError as error:
                self._refused = error
                raise
        return self.contact.identity

    @property
    def contact_made(self) -> bool:
        """Whether the model was met."""
        return "contact" in self.__dict__ and self.contact.made

    def meet(self, memory: Ledger, demand: IdentityDemand) -> None:
        """Finds out who answers.

        Raises:
            ModelError: the server is gone, or what it says or answers refutes what was stated.
            UsageError: less is known of the model than is demanded.
        """
        if told := self._refute():
            raise ModelError(f"{self.server.label}: {told}")
        self.contact.meet(memory, demand)

    def look(self, own: Sequence[OwnPrompt] = ()) -> Look:
        """Asks the canaries; see `Guarded`."""
        return self.contact.look(own)

    @cached_property
    def contact(self) -> ServedContact:
        """The contact of this session with the model."""
        stated = self._stated
        entry = self.server.entry
        needed = self._estimate_memory(stated)
        free = find_memory()
        fits = needed is not None and (not free or ROOM * needed < free)
        return ServedContact(
            ContactPlan(
                subject=self._make_subject(),
                weights=stated.digest if stated is not None else "",
                servers=[(lane.address.place, self._make_asker(lane)) for lane in self.lanes],
                own=read_canaries(entry.canary) if entry.canary is not None else (),
                verify=self._verify if fits else None,
                small=needed is not None and needed <= SMALL,
                refute=self._refute_tokens,
            )
        )

    @cached_property
    def _stated(self) -> StatedWeights | None:
        entry = self.server.entry
        return find_stated_weights(self.server.name, entry.weights, entry.adapter)

    @property
    def _claims(self) -> ListedModel:
        agreed = self.agreement
        return agreed.claims if isinstance(agreed, Handshake) else ListedModel(agreed.model)

    def _make_subject(self) -> ServedSubject:
        server, agreed = self.server, self.agreement
        entry = server.entry
        # The window ends answers, so that another one has other answers.
        fields = [dict(entry.sampling_fields), entry.reasoning, agreed.extra_tokens, self.window]
        return ServedSubject(
            label=server.name,
            origins=tuple(address.origin for address in server.addresses),
            model=agreed.model,
            answered=agreed.answered,
            kind=agreed.kind,
            version=agreed.version if isinstance(agreed, Handshake) else "",
            fingerprint=agreed.fingerprint,
            claims=self._claims,
            parts=(
                SERVED,
                list(agreed.key_parts),
                [template_of(server.spec), self._digest_tokenizer(), *fields],
            ),
            facts=self.facts,
        )

    def _digest_tokenizer(self) -> str:
        """Digests the tokenizer that makes the ids, where it is not that of the stated folder."""
        folder = self.server.entry.tokenizer
        if not folder or folder == self.server.entry.weights:
            return ""
        files = sorted(each for each in Path(folder).glob("*token*") if each.is_file())
        return "".join(f"{each.name} {file_digest(each)} " for each in files)

    def _estimate_memory(self, stated: StatedWeights | None) -> int | None:
        if stated is None or stated.checkpoint is None or not stated.checkpoint.safetensors:
            return None
        return estimate_bytes(stated.checkpoint)

    def _verify(self, references: Sequence[CanaryReference]) -> Verification:
        spec = self.server.spec
        own = ModelSpec(self.server.entry.weights, chat=spec.chat, template=spec.template)
        return verify(own, references, self.agreement.extra_tokens or 0)

    def _make_asker(self, lane: Lane) -> CanaryAsker:
        label = f"{self.server.label}: the server at {lane.address.place}"
        return CanaryAsker(
            self.patient(lane),
            self._make_greedy,
            self._check_body,
            label,
            chat=self.agreement.api == "chat",
        )

    def _make_greedy(self, canary: Canary, tokens: int) -> Mapping[str, object] | None:
        """Makes a canary's request as any row's is made; None where the window has no room."""
        language = cast("Language", canary.language)
        task = Task("canary", canary.prompt, "", Tests("", "asserts"), language=language)
        if self.window is not None and self.tokens is not None:
            length = len(self.tokens.encode(canary.prompt, language))
            if length + tokens > self.window:
                return None
        row = Row(Variant(task, Cell(), canary.prompt), 0, 0)
        body = self._prepare(row, Sampling(max_new_tokens=tokens), self.agreement).body
        return {**body, **STEADY.get(self.agreement.kind, {})}

    def _check_body(self, body: object) -> None:
        self._check_same(read_signs(body), self.agreement)

    def _refute(self) -> str:
        """Finds what the server says of itself that the entry contradicts, or does not allow."""
        server, agreed, stated = self.server, self.agreement, self._stated
        entry = server.entry
        names = AnsweringNames(agreed.model, agreed.answered, self._claims.parent)
        found = refute_names(
            names, hosted=agreed.kind == "hosted", alias=entry.alias, adapter=entry.adapter
        )
        if found or stated is None:
            return found
        local = all(address.loopback for address in server.addresses)
        found = refute_claims(self._claims, stated, local=local)
        return f"the server contradicts weights = {entry.weights!r}: {found}" if found else ""

    def _refute_tokens(self) -> str:
        """Compares the server's token ids with the tokenizer's, where both can be had."""
        if self.tokens is None or self.agreement.kind not in TELLS_TOKENS:
            return ""
        prompts = [canary.prompt for canary in CANARIES]
        try:
            for lane in self.lanes:
                found = refute_tokens(
                    self.patient(lane), self.agreement.model, prompts, self.tokens.encode_bare
                )
                if found:
                    return found
        except TransportError as error:
            raise ModelError(f"{self.server.label}: {error}") from None
        return ""
