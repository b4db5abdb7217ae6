"""Opening of served models: by address, by "openai:NAME", and by an entry of the project."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_coderobust.config.served import ServedApi, ServerEntry
from pytest_coderobust.errors import MissingExtra, UsageError
from pytest_coderobust.models.options import ModelOptions, ModelSpec, apply_options
from pytest_coderobust.models.served.address import parse_address
from pytest_coderobust.models.served.permissions import KeyWish, read_credentials
from pytest_coderobust.models.served.server import Server

if TYPE_CHECKING:
    from pytest_coderobust.models.served.guarded import GuardedServer

OPENAI_BASE = "https://api.openai.com/v1"


def check_served(name: str) -> None:
    """Refuses an address that no server can have; asks nobody.

    Raises:
        UsageError: it is none, holds credentials, or is a metadata address.
    """
    check_entry(name, read_name(name, os.environ))


def open_served(name: str, options: ModelOptions) -> GuardedServer:
    """Opens "http://HOST:PORT/v1#NAME" or "openai:NAME"; nobody is asked yet."""
    return open_entry(name, read_name(name, os.environ), options, typed=True)


def check_entry(name: str, entry: ServerEntry) -> None:
    """Refuses an entry whose servers cannot be asked, by its text alone.

    Raises:
        UsageError: as `check_served`.
    """
    for text in entry.servers:
        parse_address(text, f"model {name!r}: ")


def open_entry(
    name: str, entry: ServerEntry, options: ModelOptions, *, typed: bool = False
) -> GuardedServer:
    """Opens a model of the project's own; nobody is asked yet.

    Args:
        typed: the address was typed by whoever runs this, and not read from a file.

    Raises:
        MissingExtra: urllib3 is not installed.
        UsageError: an address, a key or an option cannot be used.
    """
    server = make_server(name, entry, options, os.environ, typed=typed)
    try:
        from pytest_coderobust.models.served.guarded import GuardedServer
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "urllib3":
            raise
        raise MissingExtra(f"model {name!r}", "server") from None
    from pytest_coderobust.models.served.introduction import HandshakeIntroducer

    return GuardedServer(server, HandshakeIntroducer())


def make_server(
    name: str,
    entry: ServerEntry,
    options: ModelOptions,
    environment: Mapping[str, str],
    *,
    typed: bool = False,
) -> Server:
    """Makes the value that says where and how a model is asked.

    Raises:
        UsageError: as `open_entry`.
    """
    where = f"model {name!r}: "
    addresses = tuple(parse_address(text, where) for text in entry.servers)
    chat = entry.chat if entry.api is None else entry.api == "chat"
    spec = apply_options(ModelSpec(entry.id, chat=chat, template=entry.template), options)
    wish = KeyWish(where, entry, addresses, options.api_key_env or "", typed)
    credentials = read_credentials(wish, environment)
    api: ServedApi = "chat" if spec.chat else "completions"
    return Server(name, addresses, replace(entry, api=api), spec, options, credentials)


def read_name(name: str, environment: Mapping[str, str]) -> ServerEntry:
    """Reads an address with the model's name behind "#", or "openai:NAME".

    Raises:
        UsageError: "openai:" has no name behind it.
    """
    if name.startswith("openai:"):
        model = name.removeprefix("openai:")
        if not model:
            raise UsageError("model 'openai:': a name belongs behind it, as in 'openai:gpt-5-mini'")
        return ServerEntry((environment.get("OPENAI_BASE_URL", "").strip() or OPENAI_BASE,), model)
    address, _, model = name.partition("#")
    return ServerEntry((address,), model)
