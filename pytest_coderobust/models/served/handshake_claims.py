"""Claims of a server about itself: its kind, its version and the models that it lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from pytest_coderobust.models.served.transport import Reply, Transport

ServerKind = Literal["vllm", "sglang", "llamacpp", "transformers", "hosted", "unknown"]

_OWNERS: Mapping[str, ServerKind] = {
    "vllm": "vllm",
    "sglang": "sglang",
    "llamacpp": "llamacpp",
    "openai": "hosted",
    "system": "hosted",
    "openai-internal": "hosted",
}
"""Kinds by the `owned_by` of a listed model."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model as the server lists it; what it does not say is empty or None.

    Attributes:
        aliases: further names that it answers to.
        parent: the base model of a listed LoRA adapter.
        root: the folder or file that the server says it loaded.
        window: tokens that prompt and completion may have together.
        parameters: number of its parameters.
        vocabulary: number of its tokens.
        size: bytes of its tensors, as the server counts them.
        quantisation: the type of most of a GGUF file's tensors ("Q4_1").
    """

    id: str
    aliases: tuple[str, ...] = ()
    parent: str = ""
    root: str = ""
    window: int | None = None
    parameters: int | None = None
    vocabulary: int | None = None
    size: int | None = None
    quantisation: str = ""


@dataclass(frozen=True, slots=True)
class ServerClaims:
    """Words of a server about itself before it has answered anything.

    Attributes:
        listing: the answer to GET /models as a status; 200 where `models` is to be trusted.
        template: the chat template that it puts around messages (llama.cpp alone says it).
    """

    kind: ServerKind
    version: str = ""
    models: tuple[ListedModel, ...] = ()
    listing: int = 0
    template: str = ""


@dataclass(slots=True)
class _Seen:
    """Answers to the questions that were asked, by path."""

    transport: Transport
    replies: dict[str, Reply] = field(default_factory=dict[str, Reply])

    def ask(self, path: str) -> dict[str, Any]:
        reply = self.replies[path] = self.transport.get(path)
        return as_table(reply.body) if reply.ok else {}


def read_claims(transport: Transport, *, hosted: bool = False) -> ServerClaims:
    """Asks a server what it is: one to three requests; an error is an answer, too.

    Args:
        hosted: the address is a provider's, which has neither /version nor /props.

    Raises:
        TransportError: no answer came back.
    """
    seen = _Seen(transport)
    entries = _entries(seen.ask("/models").get("data"))
    listing = seen.replies["/models"]
    kind: ServerKind = "hosted" if hosted else _kind_of(entries, listing)
    version, props = "", dict[str, Any]()
    if kind in ("unknown", "vllm", "sglang"):
        version = as_text(seen.ask("//version").get("version"))
        kind = "vllm" if version and kind == "unknown" else kind
    if kind in ("unknown", "llamacpp"):
        props = seen.ask("//props")
        version = version or as_text(props.get("build_info"))
        kind = "llamacpp" if "build_info" in props else kind
    return ServerClaims(
        kind=kind,
        version=version[:80],
        models=tuple(_listed(entry, props) for entry in entries),
        listing=listing.status,
        template=as_text(props.get("chat_template")),
    )


def as_table(value: object) -> dict[str, Any]:
    """Returns a JSON object as it is, and an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def as_text(value: object) -> str:
    """Returns a JSON string as it is, and "" in place of anything else."""
    return value if isinstance(value, str) else ""


def as_count(value: object) -> int | None:
    """Returns a whole number from 0 on as it is, and None in place of anything else."""
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return cast("int", value) if whole else None


def _entries(value: object) -> list[dict[str, Any]]:
    """Lists the models of a listing that have a name."""
    found = (
        [as_table(each) for each in cast("list[object]", value)] if isinstance(value, list) else []
    )
    return [entry for entry in found if as_text(entry.get("id"))]


def _kind_of(entries: list[dict[str, Any]], listing: Reply) -> ServerKind:
    """Tells the kind from the listing alone."""
    if "llama.cpp" in listing.headers.get("server", ""):
        return "llamacpp"
    owners = [as_text(entry.get("owned_by")) for entry in entries]
    known: list[ServerKind] = [_OWNERS[owner] for owner in owners if owner in _OWNERS]
    return known[0] if known else "unknown"


def _listed(entry: dict[str, Any], props: dict[str, Any]) -> ListedModel:
    meta = as_table(entry.get("meta"))
    settings = as_table(props.get("default_generation_settings"))
    aliases = entry.get("aliases")
    return ListedModel(
        id=as_text(entry.get("id")),
        aliases=tuple(map(as_text, cast("list[object]", aliases)))
        if isinstance(aliases, list)
        else (),
        parent=as_text(entry.get("parent")),
        root=as_text(entry.get("root")) or as_text(props.get("model_path")),
        window=_first_count(entry.get("max_model_len"), settings.get("n_ctx"), meta.get("n_ctx")),
        parameters=as_count(meta.get("n_params")),
        vocabulary=as_count(meta.get("n_vocab")),
        size=as_count(meta.get("size")),
        quantisation=as_text(meta.get("ftype")),
    )


def _first_count(*values: object) -> int | None:
    """Returns the first value that is a count above 0."""
    return next((count for value in values if (count := as_count(value))), None)
