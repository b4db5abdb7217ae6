"""A served model whose identity is guarded: met once in a session, and looked at now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property

from pytest_coderobust.errors import CodeRobustError, ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import IdentityDemand, Look, OwnPrompt
from pytest_coderobust.models.metering import Meter, WatchForecast, WatchPlan
from pytest_coderobust.models.options import ModelSpec
from pytest_coderobust.models.prompts import clean_text, fill_template, template_of
from pytest_coderobust.models.served.answers import read_signs
from pytest_coderobust.models.served.backend import SERVED, ServedBackend
from pytest_coderobust.models.served.canary import CANARIES, Canary, list_wanted, read_canaries
from pytest_coderobust.models.served.canary_asking import CanaryAsker, make_canary_row
from pytest_coderobust.models.served.canary_reference import CanaryReference
from pytest_coderobust.models.served.contact import ContactPlan, ServedContact
from pytest_coderobust.models.served.contact_record import read_record
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
    find_memory,
    verify,
)
from pytest_coderobust.models.served.identity_weights import (
    StatedWeights,
    digest_tokenizer,
    estimate_stated,
    find_stated_weights,
)
from pytest_coderobust.models.served.lanes import Lane
from pytest_coderobust.models.served.metered import bound_request
from pytest_coderobust.models.served.same_model import check_same
from pytest_coderobust.models.served.transport import TransportError
from pytest_coderobust.models.served.watch_costs import (
    PromptSize,
    WatchShape,
    bound_look_at,
    forecast_requests,
)
from pytest_coderobust.records import (
    ModelIdentity,
    Usage,
)

TELLS_TOKENS = ("vllm", "llamacpp", "sglang")
"""Kinds of servers that tell a text's token ids."""


class GuardedServer(ServedBackend):
    """A served model that is met when its identity is first read."""

    _memory: Callable[[], Ledger] | None = None
    _demand = IdentityDemand()
    _refused: CodeRobustError | None = None

    def remember(
        self, memory: Callable[[], Ledger], demand: IdentityDemand, meter: Meter | None = None
    ) -> None:
        """Says where contacts are kept; see `Guarded`."""
        self._memory = memory
        self._demand = demand
        self.meter = meter

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
            turn = nullcontext() if self.meter is None else self.meter.turn()
            try:
                with turn:
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
        self.check_claims()
        self.contact.meet(memory, demand)

    def check_claims(self) -> None:
        """Shakes hands, and holds what the server says of itself against the entry.

        Raises:
            ModelError: the server is gone, or what it says contradicts what was stated.
        """
        if told := self._refute():
            raise ModelError(f"{self.server.label}: {told}")

    def look(self, own: Sequence[OwnPrompt] = ()) -> Look:
        """Asks the canaries; see `Guarded`."""
        return self.contact.look(own)

    def bound_look(self, own: Sequence[OwnPrompt] = ()) -> Usage:
        """Bounds what the next look costs; nothing before the model was met."""
        if not self.contact_made:
            return Usage()
        wanted = list_wanted(self._canaries, own)
        agreed, servers = self.agreement, len(self.lanes)

        def bound(canary: Canary, tokens: int) -> Usage:
            made = self._make_request(*make_canary_row(canary, tokens), agreed)
            checked = self._lengths.bound(made.text, agreed, servers)
            return bound_request(made.body) + checked

        return bound_look_at(wanted, bound, servers, searched=self.contact.searched)

    def forecast_watch(self, ledger: Ledger, plan: WatchPlan) -> WatchForecast:
        """Forecasts the requests that watch over the model in a run; nobody is asked."""
        record = read_record(ledger, plan.digest) if plan.digest else None
        known = frozenset(record.references.known) if record is not None else None
        spec, entry = self.server.spec, self.server.entry
        shape = WatchShape(
            canaries=self._canaries,
            known=known,
            servers=len(self.server.addresses),
            chat=(entry.api or "completions") == "chat",
            tokenized=self.tokens is not None,
        )

        def size(prompt: str, language: str) -> PromptSize:
            text = clean_text(fill_template(prompt, language, spec))
            return PromptSize(len(text), len(text.encode()), self.count_tokens(prompt, language))

        return forecast_requests(shape, plan, size)

    @cached_property
    def _canaries(self) -> tuple[Canary, ...]:
        own = self.server.entry.canary
        return (*CANARIES, *(read_canaries(own) if own is not None else ()))

    @cached_property
    def contact(self) -> ServedContact:
        """The contact of this session with the model."""
        stated = self._stated
        needed = estimate_stated(stated)
        free = find_memory()
        fits = needed is not None and (not free or ROOM * needed < free)
        return ServedContact(
            ContactPlan(
                subject=self._make_subject(),
                weights=stated.digest if stated is not None else "",
                servers=[(lane.address.place, self._make_asker(lane)) for lane in self.lanes],
                own=self._canaries[len(CANARIES) :],
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
                [template_of(server.spec), digest_tokenizer(entry), *fields],
            ),
            facts=self.facts,
        )

    def _verify(self, references: Sequence[CanaryReference]) -> Verification:
        spec = self.server.spec
        own = ModelSpec(self.server.entry.weights, chat=spec.chat, template=spec.template)
        return verify(own, references, self.agreement.extra_tokens or 0)

    def _make_asker(self, lane: Lane) -> CanaryAsker:
        label = f"{self.server.label}: the server at {lane.address.place}"
        return CanaryAsker(
            self.patient(lane),
            self._make_greedy,
            lambda body: check_same(self.server.label, read_signs(body), self.agreement),
            label,
            chat=self.agreement.api == "chat",
        )

    def _make_greedy(self, canary: Canary, tokens: int) -> Mapping[str, object] | None:
        """Makes a canary's request as any row's is made; None where the window has no room."""
        length = self.count_tokens(canary.prompt, canary.language)
        if None not in (self.window, length) and (length or 0) + tokens > (self.window or 0):
            return None
        body = self._prepare(*make_canary_row(canary, tokens), self.agreement).body
        return {**body, **STEADY.get(self.agreement.kind, {})}

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
