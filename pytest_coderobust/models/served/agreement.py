"""Agreement with a server: what requests to it may hold, and the name that it answers as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pytest_coderobust.config.served import ServedApi


class Agreement(Protocol):
    """A handshake's outcome, as far as requests and answers depend on it.

    Attributes:
        kind: "vllm", "llamacpp", "hosted" or another word.
        model: the name that requests carry.
        answered: the name that every answer must carry; "" where the server gives none.
        word: the field that limits the tokens.
        stop_limit: the number of stop strings that one request may have.
        seeds: "refused" says that no seed may be sent.
        takes_ids: prompts go as token ids, where a tokenizer is known.
        extra_tokens: tokens that the server puts before a text of ours; None where that is unknown.
        window: tokens that prompt and completion may have together; None where nobody says.
        neutral: body fields that switch off what the server would do by itself.
        fingerprint: what a server of one's own says of its configuration; "" for nothing.
        key_parts: JSON-able parts of the key of every answer.
        facts: what a report shows, in order.
    """

    @property
    def kind(self) -> str: ...
    @property
    def api(self) -> ServedApi: ...
    @property
    def model(self) -> str: ...
    @property
    def answered(self) -> str: ...
    @property
    def word(self) -> str: ...
    @property
    def stop_limit(self) -> int: ...
    @property
    def seeds(self) -> str: ...
    @property
    def takes_ids(self) -> bool: ...
    @property
    def extra_tokens(self) -> int | None: ...
    @property
    def window(self) -> int | None: ...
    @property
    def neutral(self) -> Mapping[str, object]: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def key_parts(self) -> tuple[object, ...]: ...
    @property
    def facts(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class PlainAgreement:
    """An agreement that nobody asked a server for: what every one takes."""

    model: str
    api: ServedApi = "completions"
    kind: str = "unknown"
    answered: str = ""
    word: str = "max_tokens"
    stop_limit: int = 4
    seeds: str = "honoured"
    takes_ids: bool = False
    extra_tokens: int | None = None
    window: int | None = None
    neutral: Mapping[str, object] = field(default_factory=dict[str, object])
    fingerprint: str = ""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def key_parts(self) -> tuple[object, ...]:
        return (self.kind, self.api, self.word, self.stop_limit, self.takes_ids, dict(self.neutral))
