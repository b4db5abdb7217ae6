"""Opening of "vllm:FOLDER": a checkpoint that vLLM is to run."""

from __future__ import annotations

from pytest_coderobust.errors import MissingExtra, UnknownName, UsageError
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.names import BUILTIN, find_spec
from pytest_coderobust.models.options import ModelOptions, ModelSpec, apply_options
from pytest_coderobust.models.vllm.engine import is_vllm_installed

SCHEME = "vllm:"


def check_vllm(name: str) -> None:
    """Refuses a name behind which vLLM finds no checkpoint; reads no weights.

    Raises:
        MissingExtra: vLLM is not installed.
        UsageError: there is no such checkpoint.
    """
    find_vllm_spec(name)
    require_vllm(name)


def require_vllm(name: str) -> None:
    """Refuses a model of vLLM's where vLLM is not installed.

    Raises:
        MissingExtra: see above.
    """
    if not is_vllm_installed():
        raise MissingExtra(f"model {name!r}", "vllm")


def open_vllm(name: str, options: ModelOptions) -> Backend:
    """Opens a checkpoint for vLLM, which loads when it is first asked."""
    from pytest_coderobust.models.vllm.backend import VllmBackend

    return VllmBackend(name, apply_options(find_vllm_spec(name), options), options)


def find_vllm_spec(name: str) -> ModelSpec:
    """Finds the checkpoint in "vllm:FOLDER", "vllm:ORG/NAME" or "vllm:SHORT".

    Raises:
        UsageError: there is none.
    """
    inner = name.removeprefix(SCHEME)
    if not inner:
        raise UsageError(f"model {name!r}: a folder belongs behind it, as in 'vllm:./checkpoint'")
    if inner == "tiny":
        from pytest_coderobust.models.folders import bundled_folder

        return ModelSpec(str(bundled_folder()))
    spec = find_spec(inner)
    if spec is None:
        raise UnknownName("checkpoint for vLLM", inner, [*BUILTIN, "tiny", "./FOLDER", "ORG/NAME"])
    return spec
