"""Rows that want to be asked before one of them goes again: a server may count both requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from pytest_coderobust.records import Row


@runtime_checkable
class Resending(Protocol):
    """Rows of a stream, with a say in requests that follow a failed one."""

    def may_go_again(self, row: Row, *, alone: bool) -> bool:
        """Says whether a row whose request failed may go again now; if so, it goes.

        If not, it is asked again after the next answer.

        Args:
            alone: no other request is on its way.

        Raises:
            ModelError: it may not, and there is nothing to wait for. It ends the stream.
        """
        ...


def may_go_again(rows: Iterator[Row | None], row: Row, *, alone: bool) -> bool:
    """Asks the rows of a stream whether one may go again; those without a say let it."""
    return not isinstance(rows, Resending) or rows.may_go_again(row, alone=alone)
