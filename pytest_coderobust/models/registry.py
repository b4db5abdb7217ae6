"""Models by name: backends with a row of their own, and checkpoints.

A name is one of the user's own, a backend's ("oracle", "replay:FILE", "http://HOST/v1#NAME"), a
short name of the papers, a folder, or a hub id, in this order. Nothing here imports torch or
transformers; a backend does so when it loads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import cast

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.errors import UnknownName
from pytest_coderobust.extensions import read_rows
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.names import BUILTIN, find_spec
from pytest_coderobust.models.options import ModelOptions, ModelSpec, apply_options

__all__ = [
    "BACKENDS",
    "BUILTIN",
    "BackendEntry",
    "ModelOptions",
    "ModelSpec",
    "check_model_name",
    "explain_weightless",
    "has_weights",
    "is_served",
    "open_backend",
]


@dataclass(frozen=True, slots=True)
class BackendEntry:
    """One backend's row in the registry.

    Attributes:
        open: "module:function"; the function takes the name as the user wrote it and the
            `ModelOptions`, and returns a `Backend` that has not loaded anything yet.
        argument: what follows the row's name and a colon ("FILE" in "replay:FILE"); "" where the
            model's name is the row's name alone.
        check: "module:function"; the function takes the name and raises UsageError where no
            model can have it. It reads no weights. "" has nothing to check.
        weights: an editor can change the model; the backend is then a `Weighted` one.
        weightless: why no editor can change the model, and what to do; "{rest}" is what the user
            wrote behind the colon. "" says that it has no weights.
        offered: messages about unknown names offer it.
    """

    open: str
    argument: str = ""
    check: str = ""
    weights: bool = False
    weightless: str = ""
    offered: bool = True


_SERVED = "pytest_coderobust.models.served.opening:open_served"

_OWN: Mapping[str, BackendEntry] = {
    "tiny": BackendEntry(
        "pytest_coderobust.models.bundled:open_bundled",
        check="pytest_coderobust.models.bundled:check_bundled",
        weights=True,
    ),
    "oracle": BackendEntry("pytest_coderobust.models.oracle:open_oracle"),
    "replay": BackendEntry(
        "pytest_coderobust.models.replay:open_replay",
        argument="FILE",
        check="pytest_coderobust.models.replay:check_replay",
    ),
    "scripted": BackendEntry(
        "pytest_coderobust.models.scripted:open_scripted",
        argument="canonical@SHARE",
        check="pytest_coderobust.models.scripted:check_scripted",
        offered=False,  # a testing aid
    ),
    "vllm": BackendEntry(
        "pytest_coderobust.models.vllm.opening:open_vllm",
        argument="FOLDER",
        check="pytest_coderobust.models.vllm.opening:check_vllm",
        weightless=(
            "is run by vLLM, and editors change the weights of transformers' own models; leave "
            "vLLM out: --model={rest}"
        ),
    ),
    "openai": BackendEntry(
        _SERVED,
        argument="NAME",
        check="pytest_coderobust.models.served.opening:check_served",
    ),
    **{
        scheme: BackendEntry(
            _SERVED,
            argument="//HOST/v1#NAME",
            check="pytest_coderobust.models.served.opening:check_served",
        )
        for scheme in ("http", "https")
    },
}

BACKENDS = read_rows("coderobust.backends", BackendEntry, _OWN)
"""Every backend that is not an ordinary checkpoint, by name: ours, then those of packages."""

CHECKPOINTS = ("ORG/NAME", "./FOLDER")
"""Forms of the names of checkpoints that have no short name."""


def check_model_name(name: str, known: Mapping[str, ModelSpec] | None = None) -> None:
    """Refuses a name that no model can have; reads no weights and asks no hub.

    Args:
        known: the user's own short names; they win over all others.

    Raises:
        UnknownName: nothing is called that; the message offers the nearest name.
        UsageError: a file or folder that the name points to is not there.
    """
    row = _find_row(name, known)
    if entry := _find_server(name, known):
        from pytest_coderobust.models.served.opening import check_entry

        check_entry(name, entry)
    elif row is None:
        if _find_checkpoint(name, known).engine == "vllm":
            from pytest_coderobust.models.vllm.opening import require_vllm

            require_vllm(name)
    elif row.check:
        resolve_name(row.check)(name)


def open_backend(
    name: str,
    *,
    options: ModelOptions | None = None,
    known: Mapping[str, ModelSpec] | None = None,
) -> Backend:
    """Opens the model behind a name; nothing is loaded yet.

    Args:
        name: a short name, a local folder, a hub id, "replay:FILE", "oracle", or
            "scripted:canonical@SHARE" (a testing aid: solves that share of the rows), or what a
            package adds.

    Raises:
        UsageError: as `check_model_name`, or an option is impossible.
        DataError: the file to replay is malformed.
    """
    check_model_name(name, known)
    options = options or ModelOptions()
    if entry := _find_server(name, known):
        from pytest_coderobust.models.served.opening import open_entry

        return open_entry(name, entry, options)
    if row := _find_row(name, known):
        make = cast("Callable[[str, ModelOptions], Backend]", resolve_name(row.open))
        return make(name, options)
    spec = apply_options(_find_checkpoint(name, known), options)
    if spec.engine == "vllm":
        from pytest_coderobust.models.vllm.backend import VllmBackend

        return VllmBackend(name, spec, options)
    from pytest_coderobust.models.hf import HFBackend

    return HFBackend(name, spec, options)


def has_weights(name: str, known: Mapping[str, ModelSpec] | None = None) -> bool:
    """Whether an editor can change the model behind a name; opens nothing."""
    row, spec = _find_row(name, known), (known or {}).get(name)
    if spec is not None and (spec.server is not None or spec.engine != "transformers"):
        return False
    return row is None or row.weights


def explain_weightless(name: str, known: Mapping[str, ModelSpec] | None = None) -> str:
    """Explains why no editor can change a model that has no weights here, and what to do."""
    row, spec = _find_row(name, known), (known or {}).get(name)
    if spec is not None and spec.engine in BACKENDS:
        row, rest = BACKENDS[spec.engine], spec.id
    else:
        rest = name.partition(":")[2]
    if row is not None and row.weightless:
        return f"model {name!r} {row.weightless.replace('{rest}', rest)}"
    return f"model {name!r} has no weights to edit; name a checkpoint, such as 'tiny'"


def is_served(name: str, known: Mapping[str, ModelSpec] | None = None) -> bool:
    """Whether a name is one of a served model; opens nothing."""
    row = _find_row(name, known)
    return _find_server(name, known) is not None or (row is not None and row.open == _SERVED)


def _find_row(name: str, known: Mapping[str, ModelSpec] | None) -> BackendEntry | None:
    """Finds the row that a name belongs to; None for a checkpoint and for an unknown name."""
    key, colon, _ = name.partition(":")
    if name in (known or {}) or key not in BACKENDS:
        return None
    row = BACKENDS[key]
    return row if bool(colon) == bool(row.argument) else None


def _find_server(name: str, known: Mapping[str, ModelSpec] | None) -> ServerEntry | None:
    """Finds the server of a name of the user's own; None for every other model."""
    spec = (known or {}).get(name)
    return None if spec is None else spec.server


def _find_checkpoint(name: str, known: Mapping[str, ModelSpec] | None) -> ModelSpec:
    """Finds the checkpoint behind a name.

    Raises:
        UnknownName: there is none; the message offers the nearest name of any model.
        UsageError: the name is spelt as a folder, and there is none.
    """
    spec = find_spec(name, known)
    if spec is None:
        forms = [_form(key, name) for key in BACKENDS]
        raise UnknownName(
            "model", name, filter(None, (*BUILTIN, *(known or {}), *forms, *CHECKPOINTS))
        )
    return spec


def _form(key: str, asked: str) -> str:
    """Form of a row's names as a message offers it; "" where it offers none."""
    # The row of a package is imported only where it is the one that was asked for.
    if key not in _OWN and key != asked.partition(":")[0]:
        return key
    row = BACKENDS[key]
    form = f"{key}:{row.argument}" if row.argument else key
    return form if row.offered else ""
