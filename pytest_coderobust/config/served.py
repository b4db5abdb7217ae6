"""Models behind a server: the keys of `[tool.coderobust.models.NAME]` that has `server`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from pytest_coderobust.config.table import Table, check_unique
from pytest_coderobust.records import Tariff

ServedApi = Literal["completions", "chat"]

_OWN_FIELDS = ("model", "prompt", "messages", "stop", "seed", "n", "stream", "temperature", "top_p",
               "max_tokens", "max_completion_tokens")  # fmt: skip
"""Body fields that the suite or the client decides."""

_OWN_HEADERS = ("content-type", "content-length", "transfer-encoding", "host", "connection")
_WEIGHTS = re.compile(r"sha256:[0-9a-f]{64}|hf:[\w.-]+/[\w.-]+@[0-9a-f]{7,40}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class ServerEntry:
    """A model behind a server, as the project or the command line declares it.

    Attributes:
        servers: addresses that serve the same model ("http://10.0.0.5:8000/v1").
        id: the name that requests carry; "" takes the one model that a server lists.
        api: the form of the requests; None leaves it to `chat`.
        weights: what the server is said to have loaded: a folder or a .gguf file (absolute),
            "sha256:...", or "hf:ORG/NAME@COMMIT"; "" where nothing is stated.
        tokenizer: a folder whose tokenizer is the server's; "" where none is known.
        window: tokens that prompt and completion may have together, where the server does not say.
        api_key_env: the variable that has the key; "" for a server without one.
        price: what a million tokens cost; None where nobody said.
        sampling_fields: further body fields; part of the key.
        headers: further headers; "env:NAME" takes a variable's value, and is secret.
        query: parameters of every address; "env:NAME" as in `headers`.
        ca_bundle: certificates that are trusted in the place of the machine's own.
        alias: `id` may name a model that moves; the one that answers is part of the key.
        canary: a file of further prompts that watch over the model's identity.
        reasoning: the effort that is asked of a reasoning model ("low"); "" sends none.
        adapter: the LoRA adapter that `id` names, if it is meant.
        chat: prompts go as a chat where `api` leaves it open.
        template: text around the prompt.
    """

    servers: tuple[str, ...]
    id: str = ""
    api: ServedApi | None = None
    weights: str = ""
    tokenizer: str = ""
    window: int | None = None
    api_key_env: str = ""
    price: Tariff | None = None
    sampling_fields: Mapping[str, object] = field(default_factory=dict[str, object])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    ca_bundle: Path | None = None
    alias: bool = False
    canary: Path | None = None
    reasoning: str = ""
    adapter: str = ""
    chat: bool = False
    template: str | None = None


def read_server_entry(table: Table, root: Path) -> ServerEntry:
    """Reads the keys of a served model; the table is not finished here.

    Args:
        root: the folder of pyproject.toml, from which paths start.

    Raises:
        ConfigError: a key or value is wrong.
    """
    table.allow("api", "window", "price")
    weights = _weights(table, root)
    entry = ServerEntry(
        servers=_servers(table),
        id=table.text("id", ""),
        api=cast("ServedApi", table.choice("api", "completions", ("completions", "chat")))
        if "api" in table
        else None,
        weights=weights,
        tokenizer=_tokenizer(table, root, weights),
        window=table.integer("window", 0, least=1) if "window" in table else None,
        api_key_env=table.text("api_key_env", ""),
        price=_price(table.table("price")) if "price" in table else None,
        sampling_fields=_fields(table),
        headers=_texts_of(table, "headers"),
        query=_texts_of(table, "query"),
        ca_bundle=_file(table, "ca_bundle", root),
        alias=table.boolean("alias", default=False),
        canary=_file(table, "canary", root),
        reasoning=table.text("reasoning", ""),
        adapter=table.text("adapter", ""),
        chat=table.boolean("chat", default=False),
        template=table.text("template", "") or None,
    )
    if entry.template is not None and "{prompt}" not in entry.template:
        raise table.error("template", "has no {prompt} in it")
    return entry


def _servers(table: Table) -> tuple[str, ...]:
    servers = table.texts("server")
    if not servers or not all(servers):
        raise table.error("server", "must be an address, such as 'http://127.0.0.1:8000/v1'")
    check_unique(table, "server", servers)
    return servers


def _weights(table: Table, root: Path) -> str:
    """Reads what the server is said to have loaded."""
    named = table.text("weights", "")
    if not named or _WEIGHTS.fullmatch(named):
        return named
    if named.startswith("hf:"):
        raise table.error(
            "weights", "a branch of the hub moves; name a commit, as in 'hf:ORG/NAME@0123abc'"
        )
    path = root / Path(named).expanduser()
    if path.is_dir() or (path.is_file() and path.suffix == ".gguf"):
        return str(path)
    raise table.error(
        "weights",
        "neither a folder nor a .gguf file, nor 'sha256:' with 64 digits, nor 'hf:ORG/NAME@COMMIT'",
    )


def _tokenizer(table: Table, root: Path, weights: str) -> str:
    named = table.text("tokenizer", "")
    if not named:
        return weights if weights and Path(weights).is_dir() else ""
    folder = root / Path(named).expanduser()
    if not folder.is_dir():
        raise table.error("tokenizer", "no such folder")
    return str(folder)


def _price(table: Table) -> Tariff:
    table.allow("cached")
    for key in ("input", "output"):
        if key not in table:
            raise table.error(key, "missing; a price is given for a million tokens, in and out")
    price = Tariff(
        input=table.number("input", 0.0, least=0.0, most=1e9),
        output=table.number("output", 0.0, least=0.0, most=1e9),
        cached=table.number("cached", 0.0, least=0.0, most=1e9) if "cached" in table else None,
    )
    table.finish()
    return price


def _fields(table: Table) -> dict[str, object]:
    """Reads further body fields; what the suite decides is refused."""
    inner = table.table("sampling_fields")
    for key in _OWN_FIELDS:
        if key in inner:
            raise inner.error(key, "the suite's [sampling] or the client decides this field")
    for key, value in inner.values():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise inner.error(key, "JSON has no such value, and requests are JSON") from None
    return dict(inner.values())


def _texts_of(table: Table, key: str) -> dict[str, str]:
    """Reads a table of texts, by names that a header can have."""
    inner = table.table(key)
    found: dict[str, str] = {}
    for name, value in inner.values():
        if not isinstance(value, str) or any(ord(each) < 32 for each in value):
            raise inner.error(name, "must be a string of one line")
        if not _TOKEN.fullmatch(name) or (key == "headers" and name.lower() in _OWN_HEADERS):
            raise inner.error(name, "no header of this name can be set")
        found[name] = value
    return found


def _file(table: Table, key: str, root: Path) -> Path | None:
    named = table.text(key, "")
    if not named:
        return None
    path = root / Path(named).expanduser()
    if not path.is_file():
        raise table.error(key, "no such file")
    return path
