"""Canaries asked of one server, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.served.canary import Canary, CanaryAnswer
from pytest_coderobust.models.served.canary_wire import ask_for_logprobs, read_canary_answer
from pytest_coderobust.models.served.transport import Reply, Transport, TransportError
from pytest_coderobust.records import Cell, Language, Row, Sampling, Task, Tests, Variant

MakeGreedy = Callable[[Canary, int], Mapping[str, object] | None]
"""Makes the body of a greedy request of some tokens, as any row's is made; None where the prompt
does not fit into the window."""

CheckReply = Callable[[object], None]
"""Checks the name and the fingerprint in an answer's body.

Raises:
    ModelError: another model answers.
"""

TRIES = 3
"""Times that a canary is asked whose answers are failures of the server's own code (500)."""

REFUSED = (400, 413, 422)
"""Statuses of a request that the server does not take as it is."""


class CanaryAsker:
    """One server of a model, asked with canaries.

    Args:
        transport: is patient with a server that is busy.
        chat: the form of the requests.
        label: begins messages ("model 'prod': the server at 10.0.0.5:8000").
    """

    def __init__(
        self,
        transport: Transport,
        make_body: MakeGreedy,
        check: CheckReply,
        label: str,
        *,
        chat: bool,
    ) -> None:
        self._transport = transport
        self._make_body = make_body
        self._check = check
        self._label = label
        self._chat = chat
        self._plain = False

    def __call__(self, canary: Canary, tokens: int) -> CanaryAnswer | None:
        """Asks a canary for some tokens; None where the model's window has no room for it.

        A server that refuses log-probabilities is asked without them from then on.

        Raises:
            ModelError: no answer comes, or another model's.
        """
        body = self._make_body(canary, tokens)
        if body is None:
            return None
        path = "/chat/completions" if self._chat else "/completions"
        wanted = body if self._plain else ask_for_logprobs(body, chat=self._chat)
        try:
            reply = self._post(path, wanted)
            if reply.status in REFUSED and not self._plain:
                reply = self._post(path, body)
                self._plain = reply.ok
        except TransportError as error:
            raise ModelError(f"{self._label} does not answer a canary: {error}") from None
        if reply.status in REFUSED:
            return None
        if not reply.ok:
            raise ModelError(f"{self._label} answers a canary with {reply.status}")
        self._check(reply.body)
        return read_canary_answer(reply.body)

    def _post(self, path: str, body: Mapping[str, object]) -> Reply:
        reply = self._transport.post(path, body, fresh=True)
        for _ in range(TRIES - 1):
            if reply.status < 500:
                break
            reply = self._transport.post(path, body, fresh=True)
        return reply


def make_canary_row(canary: Canary, tokens: int) -> tuple[Row, Sampling]:
    """Makes the row that asks a canary for some tokens, and its greedy sampling."""
    language = cast("Language", canary.language)
    task = Task("canary", canary.prompt, "", Tests("", "asserts"), language=language)
    return Row(Variant(task, Cell(), canary.prompt), 0, 0), Sampling(max_new_tokens=tokens)
