"""Names that answer for a served model: aliases that move, and adapters that nobody meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnsweringNames:
    """Names of a served model.

    Attributes:
        model: the id that requests carry.
        answered: the name that answers carry; "" where they carry none.
        parent: the base model, where the id is a listed LoRA adapter.
    """

    model: str
    answered: str
    parent: str = ""


def refute_names(names: AnsweringNames, *, hosted: bool, alias: bool, adapter: str) -> str:
    """Finds what makes a name ambiguous.

    Args:
        hosted: the address is a provider's, whose names may move.
        alias: the entry says that its name moves.
        adapter: the adapter that the entry names, or "".

    Returns:
        A sentence without its beginning; "" where the name stands for one model.
    """
    if hosted and names.answered not in ("", names.model) and not alias:
        return (
            f"{names.model!r} is an alias that moves, today to {names.answered!r}; name that one, "
            "or say alias = true in [tool.coderobust.models.NAME]: the model that answers is then "
            "part of the key"
        )
    if names.parent and not adapter:
        return (
            f"{names.model!r} is a LoRA adapter of {names.parent!r} at the server; name its "
            "folder: adapter = 'FOLDER' in [tool.coderobust.models.NAME]"
        )
    return ""
