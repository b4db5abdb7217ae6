"""Record of a contact: the references of a model as the ledger keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_coderobust.errors import LedgerError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.served.canary_reference import (
    CanaryReference,
    References,
    add_references,
)
from pytest_coderobust.models.served.identity_verification import Verification
from pytest_coderobust.records.codec import decode, encode


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """Findings of first contact; `verification` is None where nothing was compared."""

    references: References
    verification: Verification | None = None

    def verified(self, found: Verification) -> ContactRecord:
        """The record with the outcome of a comparison."""
        return replace(self, verification=found)

    def joined(self, found: Sequence[CanaryReference]) -> ContactRecord:
        """The record with further references."""
        return replace(self, references=add_references(self.references, found))


@dataclass(frozen=True, slots=True)
class _Stored:
    references: tuple[CanaryReference, ...]
    kinds: int
    verification: Verification | None


def read_record(ledger: Ledger, model: str) -> ContactRecord | None:
    """Reads the record of a model; None before first contact.

    Raises:
        LedgerError: it is damaged.
    """
    body = ledger.contacts.read(model)
    if body is None:
        return None
    try:
        stored = decode(_Stored, json.loads(body))
    except (TypeError, ValueError, KeyError) as error:
        raise LedgerError(f"{ledger.path}: a contact with a model is damaged: {error}") from None
    known = {each.canary: each for each in stored.references}
    return ContactRecord(References(known, stored.kinds), stored.verification)


def write_record(ledger: Ledger, model: str, record: ContactRecord, met: float) -> None:
    """Keeps the record of a model; when it was last found to be the same stays."""
    references = record.references
    stored = _Stored(tuple(references.known.values()), references.kinds, record.verification)
    ledger.contacts.write(model, json.dumps(encode(stored)), met)
