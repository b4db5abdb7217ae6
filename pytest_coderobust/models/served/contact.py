"""Contact with a served model: who it is, and whether it still is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import IdentityDemand, IdentityTier, Look, OwnPrompt
from pytest_coderobust.models.served.canary import CANARIES, Canary, list_wanted
from pytest_coderobust.models.served.canary_reference import (
    AskCanary,
    CanaryDifference,
    CanaryReference,
    References,
    add_references,
    look,
    look_for_replicas,
    meet,
)
from pytest_coderobust.models.served.contact_record import (
    ContactRecord,
    read_record,
    write_record,
)
from pytest_coderobust.models.served.contact_words import (
    describe_canaries,
    describe_difference,
    explain_demand,
)
from pytest_coderobust.models.served.identity import (
    ServedSubject,
    describe_tier,
    digest_subject,
    make_identity,
)
from pytest_coderobust.models.served.identity_verification import Verification
from pytest_coderobust.records import CANARY, IDENTITY, ModelIdentity

Verify = Callable[[Sequence[CanaryReference]], Verification]
"""Compares answers with those of the stated weights on this machine."""


@dataclass(frozen=True, slots=True)
class ContactPlan:
    """Everything that a contact is made with.

    Attributes:
        weights: the digest of the stated weights, or "".
        servers: the servers of the model, each with its address; all are asked at every look.
        own: further canaries, from the entry's file.
        verify: None where the stated weights are not here as a folder.
        small: verification costs little, and is tried without being asked for.
        refute: at first contact, tells what contradicts the user's words about the model, or "".
    """

    subject: ServedSubject
    weights: str
    servers: Sequence[tuple[str, AskCanary]]
    own: Sequence[Canary] = ()
    verify: Verify | None = None
    small: bool = False
    refute: Callable[[], str] = lambda: ""

    @property
    def canaries(self) -> tuple[Canary, ...]:
        return (*CANARIES, *self.own)


class ServedContact:
    """The contact of one session with one served model.

    Args:
        now: reads a clock, in seconds of the epoch.
    """

    def __init__(self, plan: ContactPlan, now: Callable[[], float] = time.time) -> None:
        self._plan = plan
        self._now = now
        self._ledger: Ledger | None = None
        self._identity: ModelIdentity | None = None
        self._searched = False

    @property
    def identity(self) -> ModelIdentity:
        """The identity; `meet` comes first."""
        assert self._identity is not None, "meet() comes first"
        return self._identity

    @property
    def made(self) -> bool:
        """Whether the model was met."""
        return self._identity is not None

    @property
    def searched(self) -> bool:
        """Whether replicas were looked for in this session."""
        return self._searched

    def meet(self, ledger: Ledger, demand: IdentityDemand) -> None:
        """Finds out who answers; a model that the ledger does not know is asked its canaries.

        Raises:
            ModelError: no answer comes, replicas differ, or the stated weights are refuted.
            UsageError: less is known than is demanded.
        """
        self._ledger = ledger
        plan = self._plan
        if demand.tier != "observed" and not plan.weights:
            raise UsageError(
                explain_demand(plan.subject.label, demand.tier, "no weights are stated for it")
            )
        generation = self._find_generation(ledger, demand)
        model = make_identity(plan.subject, plan.weights, generation, {}).digest
        record = read_record(ledger, model)
        if record is None or self._wants_verification(record, demand):
            with ledger.lease():
                record = self._meet(ledger, model, demand)
        tier = self._find_tier(record, demand)
        known = {
            IDENTITY: describe_tier(tier, plan.weights, generation, weak=record.references.weak),
            CANARY: describe_canaries(record.references, record.verification),
        }
        self._identity = make_identity(plan.subject, plan.weights, generation, known)

    def look(self, own: Sequence[OwnPrompt] = ()) -> Look:
        """Asks the canaries of every server again; new ones are met once the known ones agree.

        Raises:
            ModelError: no answer comes.
        """
        assert self._ledger is not None, "meet() comes first"
        model = self.identity.digest
        record = read_record(self._ledger, model)
        if record is None:
            raise ModelError(f"model {self._plan.subject.label!r}: the ledger lost its contact")
        wanted = list_wanted(self._plan.canaries, own)
        known = {each: found for each, found in record.references.known.items() if each in wanted}
        references = References(known, record.references.kinds)
        for address, ask in self._plan.servers:
            if found := self._look_at(references, ask):
                seen = self._ledger.contacts.seen(model)
                told = describe_difference(self._plan.subject.label, address, found, seen)
                return Look(same=False, told=told)
        self._searched = True
        # The answers of another model would be references for ever.
        self._add(self._ledger, model, record, wanted)
        return Look(same=True)

    def _look_at(self, references: References, ask: AskCanary) -> CanaryDifference | None:
        """Looks at one server, and for replicas behind it when it is the first time."""
        if not self._searched and (found := self._search(references, ask)[0]):
            return found
        return look(references, ask)

    def _search(
        self, references: References, ask: AskCanary
    ) -> tuple[CanaryDifference | None, int]:
        return look_for_replicas(references, ask, hosted=self._plan.subject.hosted)

    def _find_generation(self, ledger: Ledger, demand: IdentityDemand) -> str:
        plan = self._plan
        subject = digest_subject(plan.subject, plan.weights)
        if demand.renewed is not None:
            return ledger.contacts.begin_generation(subject, self._now(), demand.renewed)
        found = ledger.contacts.generation(subject)
        if found or plan.weights:
            return found
        return ledger.contacts.begin_generation(subject, self._now(), float("-inf"))

    def _meet(self, ledger: Ledger, model: str, demand: IdentityDemand) -> ContactRecord:
        """Makes first contact, unless another process has just made it; the lease is held."""
        record = read_record(ledger, model) or self._ask_first()
        if self._wants_verification(record, demand):
            assert self._plan.verify is not None
            record = record.verified(self._plan.verify(record.references.answered))
        found = record.verification
        if found is not None and found.refuted:
            raise ModelError(
                f"model {self._plan.subject.label!r}: the server does not answer as the weights "
                f"that are stated for it do here: {found.refuted}"
            )
        write_record(ledger, model, record, self._now())
        return record

    def _ask_first(self) -> ContactRecord:
        """Asks the first server each canary three times, and every server for replicas."""
        plan = self._plan
        if told := plan.refute():
            raise ModelError(f"model {plan.subject.label!r}: {told}")
        first = plan.servers[0][1]
        references = add_references(References(), [meet(each, first) for each in plan.canaries])
        if not references.answered:
            raise ModelError(f"model {plan.subject.label!r}: the server refuses every canary")
        kinds = 1
        for address, ask in plan.servers:
            found, seen = self._search(references, ask)
            if found is None and ask is not first:
                found = look(references, ask)
            if found is not None:
                raise ModelError(describe_difference(plan.subject.label, address, found, None))
            kinds = max(kinds, seen)
        self._searched = True
        return ContactRecord(References(references.known, kinds))

    def _add(
        self, ledger: Ledger, model: str, record: ContactRecord, wanted: Sequence[Canary]
    ) -> None:
        """Makes first contact with those canaries that the model was never asked."""
        first = self._plan.servers[0][1]
        new = [each for each in wanted if each not in record.references.known]
        if new:
            joined = record.joined([meet(each, first) for each in new])
            write_record(ledger, model, joined, self._now())

    def _wants_verification(self, record: ContactRecord, demand: IdentityDemand) -> bool:
        plan = self._plan
        if plan.verify is None or record.verification is not None:
            return False
        return record.references.has_logprobs and (plan.small or demand.tier == "verified")

    def _find_tier(self, record: ContactRecord, demand: IdentityDemand) -> IdentityTier:
        """Finds the tier that was reached.

        Raises:
            UsageError: it is less than is demanded, or its canaries prove little.
        """
        plan = self._plan
        verified = record.verification is not None and record.verification.verified
        tier: IdentityTier = "verified" if verified else "stated" if plan.weights else "observed"
        label = plan.subject.label
        if demand.tier != "observed" and record.references.weak:
            why = "its server answers the same canaries in different ways, so they prove little"
            raise UsageError(explain_demand(label, demand.tier, why))
        if demand.tier == "verified" and tier != "verified":
            raise UsageError(explain_demand(label, demand.tier, self._explain_stated(record)))
        return tier

    def _explain_stated(self, record: ContactRecord) -> str:
        """Explains why stated weights are not verified."""
        if not record.references.has_logprobs:
            return "its server gives no log-probabilities, which alone can tell weights apart"
        if record.verification is None:
            return "the stated weights are not a folder on this machine that fits into its memory"
        moved = record.verification.moved
        return f"its log-probabilities are up to {moved:.2g} away from those of the stated weights"
