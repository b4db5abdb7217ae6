"""Proof that packages work in a sandbox, before anything is judged with them."""

from __future__ import annotations

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import Packages, Tests
from pytest_coderobust.sandbox.check import Check, Sandbox

SOLUTION = "def ready():\n    return True\n"
TESTS = Tests("assert ready() is True\n", "asserts")


def demand_packages(sandbox: Sandbox, packages: Packages, where: str) -> None:
    """Judges a solution that does nothing, so that a cage with these packages must start.

    Args:
        where: file, section and key of the packages, to begin the error with.

    Raises:
        SandboxError: one of them does not work in the cage.
    """
    try:
        sandbox.submit(Check(SOLUTION, "ready", TESTS, packages=packages)).result()
    except SandboxError as error:
        raise SandboxError(f"{where}: {error}") from None
