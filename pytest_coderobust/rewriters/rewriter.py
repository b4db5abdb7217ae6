"""Protocol of a rewriter of sentences: paragraphs in, rewritten paragraphs out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from coderobust_strategies.prompt.protection import Span


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of prose on one line.

    Attributes:
        protected: sorted, disjoint spans that carry meaning to the letter. A rewriter that can
            fence them does; what the others damage is the auditor's to find.
        seed: for rewriters that draw; 0 for the others.
    """

    text: str
    protected: tuple[Span, ...] = ()
    seed: int = 0


class SentenceRewriter(Protocol):
    """Rewrites paragraphs; a paragraph's answer must not depend on the others.

    Attributes:
        batched: many paragraphs at once cost far less than one by one.
        seeded: another seed gives another answer.
    """

    batched: bool
    seeded: bool

    @property
    def digest(self) -> str:
        """Changes whenever an answer might; computed when first asked for."""
        ...

    def rewrite(self, paragraphs: Sequence[Paragraph]) -> list[str]:
        """One answer for each paragraph, in order.

        Raises:
            ModelError: the rewriter cannot be run.
        """
        ...
