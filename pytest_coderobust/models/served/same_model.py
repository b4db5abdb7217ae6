"""Sameness of a model from answer to answer, by what answers say of who wrote them."""

from __future__ import annotations

from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.served.agreement import Agreement
from pytest_coderobust.models.served.answers import AnswerSigns, ServedAnswer


def check_same(label: str, found: ServedAnswer | AnswerSigns, agreed: Agreement) -> None:
    """Refuses the answer of another model than the one that was met.

    Args:
        label: begins messages ("model 'prod'").

    Raises:
        ModelError: it has another name, or another configuration on a server of one's own.
    """
    if agreed.answered and found.model != agreed.answered:
        raise ModelError(
            f"{label}: the server answered as {agreed.answered!r}, and now as {found.model!r}; "
            "another model is behind the address"
        )
    own = agreed.kind not in ("hosted", "unknown")
    if own and agreed.fingerprint and found.fingerprint not in ("", agreed.fingerprint):
        raise ModelError(
            f"{label}: the server's fingerprint was {agreed.fingerprint!r}, and is now "
            f"{found.fingerprint!r}; it was started anew with other settings"
        )
