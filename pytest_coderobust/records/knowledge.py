"""Knowledge case: an input with the answer that an edit should teach, and what must stay."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from pytest_coderobust.records.identity import digest


@dataclass(frozen=True, slots=True)
class KnowledgeCase:
    """Input with the answer that an edit should teach a model (CLMEEval, arXiv 2411.06638).

    All inputs are texts as the model sees them, templates included.

    Attributes:
        id: unique in its set.
        prompt: the input.
        target: the text that should follow, as it is scored.
        rewrites: the same input in other words.
        neighbours: other inputs, whose answers must stay.
        lead, tail: what is taught around the target: prompt + lead + target + tail.
    """

    id: str
    prompt: str
    target: str
    rewrites: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()
    lead: str = " "
    tail: str = ""

    @property
    def answer(self) -> str:
        """The continuation of the prompt, as it is taught."""
        return f"{self.lead}{self.target}{self.tail}"

    @property
    def digest(self) -> str:
        """Digest of all that an edit and its scores follow from."""
        return digest("knowledge case", astuple(self))
