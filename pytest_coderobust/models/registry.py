"""Model names: the short ones of the papers, folders, hub ids, and the models that are no network.

Nothing here imports torch or transformers; a backend does so when it loads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from pytest_coderobust.errors import UnknownName, UsageError
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.options import ROWS, ModelOptions, ModelSpec, apply_options

__all__ = ["BUILTIN", "ModelOptions", "ModelSpec", "check_model_name", "find_spec", "open_backend"]

BUILTIN: Mapping[str, ModelSpec] = {
    "codellama-7b": ModelSpec("codellama/CodeLlama-7b-hf"),
    "qwen2.5-coder-7b": ModelSpec("Qwen/Qwen2.5-Coder-7B"),
    "codeqwen1.5-7b": ModelSpec("Qwen/CodeQwen1.5-7B"),
    "stable-code-3b": ModelSpec("stabilityai/stable-code-3b"),
    "deepseek-coder-1.3b": ModelSpec("deepseek-ai/deepseek-coder-1.3b-base"),
    "deepseek-coder-6.7b": ModelSpec("deepseek-ai/deepseek-coder-6.7b-base"),
    "codegen-2b-multi": ModelSpec("Salesforce/codegen-2B-multi"),
    "starcoder-1b": ModelSpec("bigcode/starcoderbase-1b"),
    "starcoder-3b": ModelSpec("bigcode/starcoderbase-3b"),
}

TINY = "tiny"
ORACLE = "oracle"
REPLAY = "replay:"
SCRIPTED = "scripted:"
FORMS = (TINY, ORACLE, "replay:FILE", "ORG/NAME", "./FOLDER")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def check_model_name(name: str, known: Mapping[str, ModelSpec] | None = None) -> None:
    """Refuses a name that no model can have; reads no weights and asks no hub.

    Args:
        known: the user's own short names; they win over the built-in ones.

    Raises:
        UnknownName: nothing is called that; the message offers the nearest name.
        UsageError: a file or folder that the name points to is not there.
    """
    if name.startswith(REPLAY):
        path = Path(name[len(REPLAY) :]).expanduser()
        if not path.is_file():
            raise UsageError(f"model {name!r}: no file {str(path)!r} to replay")
    elif name.startswith(SCRIPTED):
        _parse_scripted(name)
    elif name != ORACLE:
        find_spec(name, known)


def open_backend(
    name: str,
    *,
    options: ModelOptions | None = None,
    known: Mapping[str, ModelSpec] | None = None,
) -> Backend:
    """The model behind a name, not loaded yet.

    Args:
        name: a short name, a local folder, a hub id, "replay:FILE", "oracle", or
            "scripted:canonical@SHARE" (a testing aid: solves that share of the rows).

    Raises:
        UsageError: as `check_model_name`, or an option is impossible.
        DataError: the file to replay is malformed.
    """
    check_model_name(name, known)
    options = options or ModelOptions()
    rows = options.batch_size or ROWS
    if name == ORACLE:
        from pytest_coderobust.models.oracle import Oracle

        return Oracle(batch_size=rows)
    if name.startswith(REPLAY):
        from pytest_coderobust.models.replay import Replay

        path = Path(name[len(REPLAY) :]).expanduser()
        return Replay(path, name=name, batch_size=rows)
    if name.startswith(SCRIPTED):
        from pytest_coderobust.models.scripted import canonical_share

        share = _parse_scripted(name)
        return canonical_share(share, name=name, batch_size=rows)
    from pytest_coderobust.models.hf import HFBackend

    spec = apply_options(find_spec(name, known), options)
    return HFBackend(name, spec, options)


def find_spec(name: str, known: Mapping[str, ModelSpec] | None = None) -> ModelSpec:
    """The checkpoint behind a name: the user's own, ours, a folder, a hub id, in this order.

    Raises:
        UnknownName: none of them.
        UsageError: it is spelt as a folder, and there is none.
    """
    names = {**BUILTIN, **(known or {})}
    if name in names:
        spec = names[name]
        if not (Path(spec.id).expanduser().is_dir() or _HUB_ID.fullmatch(spec.id)):
            raise UsageError(f"model {name!r}: its id {spec.id!r} is no folder and no hub id")
        return spec
    if name == TINY:
        return _bundled()
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return ModelSpec(str(folder))
    if name.startswith(("/", "./", "../", "~")) and not folder.is_dir():
        raise UsageError(f"model {name!r}: there is no such folder")
    if name and folder.is_dir():
        raise UsageError(f"model {name!r}: the folder has no config.json, so it is no checkpoint")
    if _HUB_ID.fullmatch(name):
        return ModelSpec(name)
    raise UnknownName("model", name, (*names, *FORMS))


def _bundled() -> ModelSpec:
    """The bundled model; its room is beside this one, so it is looked up only when asked for."""
    folder: Path = import_module("pytest_coderobust.tiny").checkpoint_path()
    if not folder.is_dir():
        raise UsageError(f"model {TINY!r}: this installation lacks its weights ({folder})")
    return ModelSpec(str(folder))


def _parse_scripted(name: str) -> float:
    """The share in "scripted:canonical@SHARE".

    Raises:
        UsageError: the form is another one.
    """
    found = re.fullmatch(r"scripted:canonical(?:@(0(?:\.\d+)?|1(?:\.0+)?))?", name)
    if found is None:
        raise UsageError(
            f"model {name!r}: the only script is 'scripted:canonical@SHARE' with a share "
            "from 0 to 1, such as 'scripted:canonical@0.7'"
        )
    return float(found[1] or 1)
