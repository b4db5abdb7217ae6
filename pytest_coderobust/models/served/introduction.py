"""Introduction to a server: the handshake, with what an entry says about its model."""

from __future__ import annotations

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.served.agreement import Agreement, PlainAgreement
from pytest_coderobust.models.served.server import Server
from pytest_coderobust.models.served.transport import Transport


def introduce(transport: Transport, server: Server) -> Agreement:
    """Finds the name of the one model that a server lists, where none was asked for.

    Raises:
        ModelError: it lists none, or several.
    """
    api = server.entry.api or "completions"
    if server.entry.id:
        return PlainAgreement(server.entry.id, api)
    body = transport.get("/models").body
    listed = body.get("data") if isinstance(body, dict) else None
    names = [str(each.get("id")) for each in listed or () if isinstance(each, dict)]
    if len(names) != 1:
        found = f"it lists {', '.join(names)}" if names else "it lists none"
        raise ModelError(
            f"model {server.name!r}: the name of the model belongs behind the address, as in "
            f"'{server.addresses[0].base}#NAME'; {found}"
        )
    return PlainAgreement(names[0], api)
