"""Identity of a served model: what can be seen of it, what was stated, and the digest of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field

from pytest_coderobust.models.backend import IdentityTier
from pytest_coderobust.models.served.handshake_claims import ListedModel
from pytest_coderobust.records import ModelIdentity, digest

REMOTE_VERSION = 1
"""Raised when the same server would be asked in another way."""

SEED_BITS = 31


@dataclass(frozen=True, slots=True)
class ServedSubject:
    """Everything that can be seen of a served model.

    Attributes:
        label: the model as the user wrote it.
        origins: scheme, host and port of each server.
        model: the id that requests carry.
        answered: the name that answers carry.
        fingerprint: of a server of one's own; a provider's moves too often to say anything.
        parts: JSON-able parts of the key: the handshake's, template, body fields.
        facts: what a report shows, in order.
    """

    label: str
    origins: tuple[str, ...]
    model: str
    answered: str
    kind: str
    version: str
    fingerprint: str
    claims: ListedModel
    parts: tuple[object, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def hosted(self) -> bool:
        return self.kind == "hosted"


def digest_subject(subject: ServedSubject, weights: str) -> str:
    """Digests what can be seen of a model and what was stated of it, without any generation.

    With stated weights the address is left out, because a server of the same weights has another
    one tomorrow. The name stays where answers tell one that was not asked for: it is a snapshot.

    Args:
        weights: the digest of the stated weights, or "".
    """
    engine = [
        subject.kind,
        subject.version,
        "" if subject.hosted else subject.fingerprint,
        subject.answered if subject.answered != subject.model else "",
    ]
    seen = ["stated", weights]
    if not weights:
        # The servers of one entry serve one model, in whatever order they are written.
        seen = [
            "observed",
            *sorted(subject.origins),
            subject.model,
            *map(str, astuple(subject.claims)),
        ]
    return digest("remote", REMOTE_VERSION, seen, engine, list(subject.parts), SEED_BITS)


def make_identity(
    subject: ServedSubject, weights: str, generation: str, known: Mapping[str, str]
) -> ModelIdentity:
    """Makes the identity of a served model.

    Args:
        weights: as `digest_subject`.
        generation: 32 random digits of the ledger; "" where there is none.
        known: facts about its tier and its canaries.
    """
    name = digest_subject(subject, weights)
    return ModelIdentity(
        subject.label,
        digest("generation", name, generation) if generation else name,
        {**subject.facts, **known},
    )


def describe_tier(tier: IdentityTier, weights: str, generation: str, *, weak: bool = False) -> str:
    """Describes the identity as reports show it: the tier, then what it rests on."""
    rests = [f"weights {weights[:12]}"] if weights else []
    rests += [f"generation {generation[:12]}"] if generation else []
    return f"{tier}{', weak' if weak else ''}: {', '.join(rests)}"
