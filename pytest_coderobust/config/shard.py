"""Shard of a run: the part of every suite that one of several machines measures."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_coderobust.errors import UsageError

MOST = 100_000


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts.

    Attributes:
        index: from 1 to `count`.
    """

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def parse_shard(label: str, text: str) -> Shard:
    """Parses "3/16".

    Raises:
        UsageError: it is no such part.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text.strip(), re.ASCII)
    shard = Shard(int(found[1]), int(found[2])) if found else Shard(0, 0)
    if not 1 <= shard.index <= shard.count <= MOST:
        raise UsageError(
            f"{label} {text!r} must be a part and their number, such as 3/16: the parts are 1/16 "
            "to 16/16"
        )
    return shard
