"""Names in a handshake: the model that is listed, and the one that answers."""

from __future__ import annotations

import re
from dataclasses import replace

from pytest_coderobust.errors import ModelError, nearest
from pytest_coderobust.models.served.handshake_claims import ListedModel, ServerClaims, ServerKind
from pytest_coderobust.models.served.handshake_probes import ProbeAnswer, Prober

_SNAPSHOT = re.compile(r"-\d[\d-]*")
"""The tail that a provider adds to a model's name to say which of its snapshots answered."""


def find_listed(claims: ServerClaims, wanted: str, label: str) -> ListedModel:
    """Finds the wanted model among the listed ones; its `id` is what requests carry.

    Raises:
        ModelError: it is not listed, or none is wanted and not exactly one is listed.
    """
    if claims.listing in (401, 403):
        raise ModelError(f"model {label!r}: the server refuses the key ({claims.listing})")
    names = [name for model in claims.models for name in (model.id, *model.aliases)]
    if not claims.models:
        if wanted:
            return ListedModel(wanted)
        if claims.listing == 404:
            raise ModelError(
                f"model {label!r}: the server has nothing at /models (404); does the address end "
                "in /v1? If it does, say the model's name: URL#NAME"
            )
        raise ModelError(
            f"model {label!r}: the server lists no models ({claims.listing}), so the name must be "
            "said: URL#NAME"
        )
    found = _matching(claims, wanted) if wanted else _own_models(claims)
    if len(found) == 1:
        return found[0]
    if wanted:
        raise ModelError(
            f"model {label!r}: the server does not serve {wanted!r}{nearest(wanted, names)}"
        )
    shown = ", ".join(sorted(names)[:20])
    raise ModelError(
        f"model {label!r}: the server lists {len(names)} models ({shown}): say URL#NAME"
    )


def check_answered(
    prober: Prober, claims: ServerClaims, listed: ListedModel, answer: ProbeAnswer, *, alias: bool
) -> ServerKind:
    """Compares the name that answered with the one that was asked; returns the server's kind.

    Args:
        alias: the user knows that the provider answers for a model of another name.

    Raises:
        ModelError: another model answered, or nothing says which one.
    """
    name, at, _ = answer.model.rpartition("@")
    name = name if at else answer.model
    kind: ServerKind = "transformers" if claims.kind == "unknown" and at else claims.kind
    if not name:
        if not claims.models:
            raise prober.refusal("neither lists its models nor says which one answered")
        return kind
    known = (listed.id, listed.root, *listed.aliases)
    if not (alias or any(_same_model(one, name, kind) for one in known if one)):
        raise prober.refusal(f"answers for {name!r} when it is asked for {listed.id!r}")
    return kind


def _own_models(claims: ServerClaims) -> list[ListedModel]:
    """The listed models that are no adapter of another."""
    return [model for model in claims.models if not model.parent]


def _matching(claims: ServerClaims, wanted: str) -> list[ListedModel]:
    """Lists the models that go by a name: as id, as alias, or as the last part of a path."""
    exact = [model for model in claims.models if model.id == wanted]
    aliased = [replace(model, id=wanted) for model in claims.models if wanted in model.aliases]
    ending = [model for model in claims.models if model.id.endswith(f"/{wanted}")]
    return exact[:1] or aliased or ending


def _same_model(asked: str, answered: str, kind: ServerKind) -> bool:
    if asked == answered or asked.endswith(f"/{answered}") or answered.endswith(f"/{asked}"):
        return True
    tail = answered.removeprefix(asked)
    return kind == "hosted" and tail != answered and bool(_SNAPSHOT.fullmatch(tail))
