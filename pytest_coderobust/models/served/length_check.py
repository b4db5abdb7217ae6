"""Check of long prompts: whether a server silently cuts them, where no tokenizer tells."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.models.metering import FRAME
from pytest_coderobust.models.served.agreement import Agreement
from pytest_coderobust.models.served.introduction import Introducer
from pytest_coderobust.models.served.server import Server
from pytest_coderobust.models.served.transport import Transport
from pytest_coderobust.records import Usage

LONGER = 1.25
"""Growth of the longest prompt after which a server is asked again whether it cuts such prompts."""


class LengthCheck:
    """The checks of one session: one whenever a prompt comes that is longer than all before."""

    def __init__(self, server: Server, introducer: Introducer) -> None:
        self._server = server
        self._introducer = introducer
        self._longest = 0

    def wants(self, text: str) -> bool:
        """Says whether a prompt is so much longer than all before."""
        return is_longer(len(text), self._longest)

    def bound(self, text: str, agreed: Agreement, servers: int) -> Usage:
        """Bounds what the check before this prompt costs; nothing where none is due."""
        if agreed.extra_tokens is not None or not self.wants(text):
            return Usage()
        size = len(text.encode("utf-8", "surrogatepass"))
        return times(count_check(size, FRAME, chat=agreed.api == "chat"), servers)

    def run(self, text: str, agreed: Agreement, transports: Sequence[Transport]) -> None:
        """Refuses servers that cut a prompt of this length, where the check is due.

        Raises:
            ModelError: one does.
        """
        if not self.wants(text):
            return
        for transport in transports:
            self._introducer.check_length(transport, self._server, agreed, text)
        self._longest = len(text)  # one that failed is due again


def is_longer(length: int, longest: int) -> bool:
    """Says whether a prompt of some characters wants a check of its own."""
    return length > LONGER * longest


def count_check(tokens: int, frame: int, *, chat: bool) -> Usage:
    """Counts the tokens of one check: the prompt and its halves, and on chat the template alone.

    Args:
        tokens: of the prompt.
        frame: tokens around each of the prompts.
    """
    requests = 4 if chat else 3
    return Usage(requests, 0, 2 * tokens + int(chat) + requests * frame, 0, requests)


def times(usage: Usage, factor: int) -> Usage:
    """The same requests several times."""
    return Usage(usage.requests * factor, 0, usage.input * factor, 0, usage.output * factor)
