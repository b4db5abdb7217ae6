"""Row of the table of options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_coderobust.session.values import Reader

OptionGroup = Literal["model", "suite", "run", "report", "format", "store"]
"""The group of a row: "model" and "store" rows belong to every command that opens a model, and
"format" rows name report files, which `Choices.formats` holds together."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        name: what follows "--coderobust-" in pytest and "--" in a command; with underscores it is
            the ini key's end, the keyword argument, and but for formats the field of `Choices`.
        read: validates a value.
        default: the value where nobody chose one.
        metavar: what the value is called in the help; "" for a flag.
        alias: pytest's short form, added politely; "" for none.
        bare: the value of an option that stands alone, without one; "" where it needs one.
        repeated: may be given several times; one a line in ini files.
    """

    name: str
    group: OptionGroup
    help: str
    read: Reader
    default: object = None
    metavar: str = ""
    alias: str = ""
    repeated: bool = False
    bare: str = ""

    @property
    def field(self) -> str:
        """The field of `Choices`, and the keyword argument."""
        return self.name.replace("-", "_")

    @property
    def flag(self) -> bool:
        return not self.metavar
