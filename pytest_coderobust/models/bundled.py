"""The bundled model, "tiny", as a checkpoint on disk."""

from __future__ import annotations

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.folders import bundled_folder
from pytest_coderobust.models.options import ModelOptions, ModelSpec, apply_options


def check_bundled(name: str) -> None:
    """Refuses an installation without the weights.

    Raises:
        UsageError: they are not there.
    """
    folder = bundled_folder()
    if not folder.is_dir():
        raise UsageError(f"model {name!r}: this installation lacks its weights ({folder})")


def open_bundled(name: str, options: ModelOptions) -> Backend:
    """Opens the bundled model, which loads when it is first asked.

    It has one thread unless the user asks for more: documents print its figures to the digit, and
    the rounding of sums moves with the number of threads.
    """
    from pytest_coderobust.models.hf import HFBackend

    spec = ModelSpec(str(bundled_folder()), threads=1)
    return HFBackend(name, apply_options(spec, options), options)
