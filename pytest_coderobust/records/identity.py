"""The identity of a model, and the digest that distinguishes one content from another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

IDENTITY = "identity"
"""The fact about what is known of a served model: "stated, weak: weights 3fa9..."."""

CANARY = "canary"
"""The fact about what watches over a served model."""

TRAINED_ON = "trained on"
"""The fact about the perturbations of the rows that a model was tuned on: "C1, W2"."""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """The identity of the model that answered, down to the bit.

    Attributes:
        name: as the user wrote it.
        digest: changes whenever the same prompt might get another answer (weights, edit
            stack, tokenizer, prompt template, dtype, device kind, library versions).
        facts: what a report shows, in order.
    """

    name: str
    digest: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def served_tier(self) -> str:
        """Level of knowledge about a served model ("observed", "stated", "verified"), or ""."""
        return self.facts.get(IDENTITY, "").partition(":")[0].partition(",")[0]

    @property
    def weak(self) -> bool:
        """Whether the server of the model disagrees with itself."""
        return self.facts.get(IDENTITY, "").partition(":")[0].endswith(", weak")


def digest(*parts: object) -> str:
    """Computes the SHA-256 of JSON-able values, stable across processes and platforms.

    Lone surrogates survive: JSON escapes them.
    """
    text = json.dumps(parts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
