"""Set of knowledge cases, and how one is named: a file, a reference's name, or the bundled set."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_coderobust.records import digest
from pytest_coderobust.records.knowledge import KnowledgeCase


@dataclass(frozen=True, slots=True)
class CaseSet:
    """Knowledge cases of one file or generator.

    Attributes:
        name: as the user wrote it.
        cases: in the order of the file; ids are unique.
    """

    name: str
    cases: tuple[KnowledgeCase, ...]

    @property
    def digest(self) -> str:
        """Digest of the cases, whatever they are called by."""
        return digest("knowledge cases", [case.digest for case in self.cases])
