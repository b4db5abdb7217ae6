"""Probes of a handshake: small requests of a fixed text, and their answers taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.served.handshake_claims import as_count, as_table, as_text
from pytest_coderobust.models.served.transport import Reply, Transport

ServerApi = Literal["completions", "chat"]

OPEN_PROMPT = (
    "def describe(items):\n"
    '    """Returns a sentence about the items, their number and their order."""\n'
)
"""A text that no model of code has finished with at once."""

SEED_PROMPT = "Ten random words and numbers: "
"""A text that any model can continue in many ways, and a small sure one of code, too."""

_SAID = 300
"""Characters of a server's own words that a message repeats."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """An answer of a server to a probe; None where it gave no count.

    Attributes:
        written: tokens of the completion, the thought and the end token included.
        model: the name that the server says it answered as.
    """

    text: str
    finish: str
    prompt_tokens: int | None
    written: int | None
    model: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Prober:
    """A way to one model of one server, with the words that messages use for it.

    Attributes:
        label: the model as the user wrote it, for messages.
        model: the id that requests carry.
        fields: body fields that the user wants in each request.
    """

    transport: Transport
    label: str
    model: str
    api: ServerApi
    fields: Mapping[str, object]

    @property
    def path(self) -> str:
        return "/chat/completions" if self.api == "chat" else "/completions"

    def ask(self, prompt: str | Sequence[int], fields: Mapping[str, object]) -> Reply:
        """Sends a prompt (as text, or as token ids where the API takes them) with body fields."""
        body: dict[str, object] = {"model": self.model}
        if self.api == "chat":
            body["messages"] = [{"role": "user", "content": prompt}]
        else:
            body["prompt"] = prompt if isinstance(prompt, str) else list(prompt)
        return self.transport.post(self.path, {**body, **fields, **self.fields})

    def read(self, reply: Reply) -> ProbeAnswer:
        """Takes an answer apart.

        Raises:
            ModelError: it is an error, or not a completion.
        """
        if not reply.ok:
            raise self.refusal(_explain_status(reply, self.path))
        table = as_table(reply.body)
        choices = table.get("choices")
        if not isinstance(choices, list) or len(cast("list[object]", choices)) != 1:
            raise self.refusal(
                f"answers {self.path} with something else than a completion; does the address "
                f"end in /v1? It said {said(reply)}"
            )
        choice = as_table(choices[0])
        usage = as_table(table.get("usage"))
        message = as_table(choice.get("message"))
        return ProbeAnswer(
            text=as_text(message.get("content") if self.api == "chat" else choice.get("text")),
            finish=as_text(choice.get("finish_reason")),
            prompt_tokens=as_count(usage.get("prompt_tokens")),
            written=as_count(usage.get("completion_tokens")),
            model=as_text(table.get("model")),
            fingerprint=as_text(table.get("system_fingerprint")),
        )

    def refusal(self, reason: str) -> ModelError:
        """Makes the error that refuses the server.

        Args:
            reason: what was seen, after "the server".
        """
        return ModelError(f"model {self.label!r}: the server {reason}")


def said(reply: Reply) -> str:
    """Quotes a server's own words about a request: its message, else the text of its answer."""
    words = _message(reply.body) or reply.text
    words = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in words)).strip()
    return f"{words[:_SAID]!r}" if words else "nothing"


def blamed_fields(reply: Reply, sent: Mapping[str, object]) -> tuple[str, ...]:
    """Lists the sent fields that a refusal (400 or 422) names, in the order they were sent."""
    error = as_table(as_table(reply.body).get("error"))
    exact = {as_text(error.get("param")), *_locations(as_table(reply.body).get("detail"))}
    if named := tuple(field for field in sent if field in exact):
        return named
    # A validator may repeat the whole request after its complaint (vLLM, pydantic).
    words = re.split(r"""['"]input['"]""", _message(reply.body) or reply.text)[0]
    return tuple(field for field in sent if re.search(rf"(?<!\w){re.escape(field)}(?!\w)", words))


def _message(body: Any) -> str:
    """Finds the sentence in an error's body: OpenAI's form, FastAPI's, or a plain one."""
    table = as_table(body)
    error = table.get("error")
    detail = table.get("detail")
    places = (as_table(error).get("message"), error, table.get("message"), detail)
    if found := next((text for place in places if (text := as_text(place))), ""):
        return found
    rows = cast("list[object]", detail) if isinstance(detail, list) else []
    return "; ".join(
        f"{as_text(row.get('msg'))} ({', '.join(_locations([row]))})" for row in map(as_table, rows)
    )


def _locations(detail: object) -> list[str]:
    """Lists the fields that FastAPI's rows of errors point at."""
    rows = cast("list[object]", detail) if isinstance(detail, list) else []
    found: list[str] = []
    for row in map(as_table, rows):
        place = row.get("loc")
        path = cast("list[object]", place) if isinstance(place, list) else []
        found += [step for step in map(as_text, path) if step and step != "body"]
    return found


def _explain_status(reply: Reply, path: str) -> str:
    """Explains a refused probe in the words that come after "the server"."""
    if reply.status in (401, 403):
        return f"refuses the key ({reply.status}): {said(reply)}"
    if reply.status in (404, 405):
        return (
            f"has nothing at {path} ({reply.status}), or not this model; does the address end in "
            f"/v1? It said {said(reply)}"
        )
    hint = ""
    if reply.status >= 500 and "chat" in path:
        hint = '; without a chat template, api = "completions" may be what it answers'
    return f"refuses a small request to {path} ({reply.status}): {said(reply)}{hint}"
