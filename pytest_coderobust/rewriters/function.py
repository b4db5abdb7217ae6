"""A function of the user's own as a rewriter: "module:function", from paragraph to paragraph."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import cast

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.records import digest
from pytest_coderobust.rewriters.rewriter import Paragraph


class FunctionRewriter:
    """A function that takes a paragraph on one line and returns its rewritten form.

    Its answers are kept in the ledger under its source, so that a model behind a network is asked
    once; what the function calls is not part of the key.
    """

    batched = False
    seeded = False

    def __init__(self, module: str, name: str, function: Callable[[str], object]) -> None:
        self._name = f"{module}:{name}"
        self._function = function

    @property
    def digest(self) -> str:
        try:
            source = inspect.getsource(self._function)
        except (OSError, TypeError):
            source = ""
        return digest("function", self._name, source)

    def rewrite(self, paragraphs: Sequence[Paragraph]) -> list[str]:
        return [self._one(each.text) for each in paragraphs]

    def _one(self, text: str) -> str:
        try:
            answer = self._function(text)
        except Exception as error:
            raise ModelError(f"rewriter {self._name!r} failed: {error!r}") from error
        if not isinstance(answer, str):
            raise ModelError(
                f"rewriter {self._name!r} must return a string, not {type(answer).__name__}"
            )
        return answer


def find_function(module: str, name: str, base: Path, where: str) -> FunctionRewriter:
    """Imports the function; modules beside the suite are found too.

    Raises:
        UsageError: there is no such module or function.
    """
    folder = str(base)
    added = folder not in sys.path
    if added:
        sys.path.append(folder)
    try:
        found: object = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{where}: {module}:{name} cannot be imported: {error}") from None
    finally:
        if added:
            sys.path.remove(folder)
    if not callable(found):
        raise UsageError(f"{where}: {module}:{name} is not a function")
    return FunctionRewriter(module, name, cast("Callable[[str], object]", found))
