"""Devices that models run on, and the kind of arithmetic that each does."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.options import DEVICE_MAPS


@cache
def find_device(asked: str) -> str:
    """Finds the device that an option names: "auto" is cuda if present, else cpu.

    Raises:
        ModelError: torch sees no such device.
    """
    if asked in ("cpu", *DEVICE_MAPS):
        return asked
    if asked == "auto" and "+cpu" in version("torch"):
        return "cpu"  # a build without accelerators; saves seconds of importing torch to ask it
    import torch

    if asked == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=asked)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split("\n")[0]
        raise ModelError(f"device {asked!r} cannot be used: {reason}; 'cpu' always works") from None
    return "cuda:0" if asked == "cuda" else asked


def device_kind(device: str) -> str:
    """Names the arithmetic of a device: cards of different models round differently."""
    if device.startswith("cuda") or device in DEVICE_MAPS:
        import torch

        if torch.cuda.is_available():
            return f"cuda {torch.cuda.get_device_name(None if device in DEVICE_MAPS else device)}"
    return device
