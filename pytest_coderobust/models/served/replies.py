"""Judgement of a server's replies: the answers apart, each asks for one of three courses.

A request goes *again*, its row *fails* for good, or the session *ends*: nothing else will work.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, cast

from pytest_coderobust.models.served.transport import Reply, TransportError

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
ENDING = frozenset({401, 402, 403, 404, 405})

_SAID = 300
"""Characters of a server's own words that a message repeats."""

_OVERFLOW = re.compile(
    r"exceed_context_size|context_length_exceeded|maximum context length|maximum model length"
    r"|context (?:size|length|window)|max_model_len|too many tokens|prompt is too long",
    re.IGNORECASE,
)
_SPENT = re.compile(r"insufficient_quota|billing_hard_limit", re.IGNORECASE)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Again:
    """The request may succeed later.

    Attributes:
        hint: seconds that the server asks to wait, of every sender; 0.0 where it asks nothing.
        overload: the server has too much to do.
        failed: its own code failed (500), which one row alone can bring about.
    """

    told: str
    hint: float = 0.0
    overload: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class RowFails:
    """This row gets no answer.

    Attributes:
        told: the reason, with no number that differs between rows.
        overflow: the prompt is too long for the server, which says nothing of the other rows.
    """

    told: str
    overflow: bool = False


@dataclass(frozen=True, slots=True)
class SessionEnds:
    """No row will get an answer."""

    told: str


ReplyCourse = Again | RowFails | SessionEnds


def judge_error(error: TransportError) -> ReplyCourse:
    """Finds the course after a request without a reply."""
    if error.lasting:
        return SessionEnds(str(error))
    return Again(str(error), overload=error.timed_out)


def judge_reply(reply: Reply) -> ReplyCourse:
    """Finds the course after a reply whose status is not 200."""
    told = f"{reply.status}: {say(reply)}"
    if 300 <= reply.status < 400:
        return SessionEnds(f"it redirects ({reply.status}), and redirects are not followed")
    if reply.status == 429 and _SPENT.search(reply.text):
        return SessionEnds(told)
    if reply.status in ENDING:
        return SessionEnds(f"{told}{_advise(reply.status)}")
    if reply.status in AGAIN or reply.status >= 500:
        return Again(
            told,
            hint=find_hint(reply.headers, limited=reply.status == 429),
            overload=reply.status == 429,
            failed=reply.status == 500,
        )
    return RowFails(told, overflow=_OVERFLOW.search(reply.text) is not None)


def say(reply: Reply) -> str:
    """Finds the words of an error: printable characters, and not more than some."""
    words = _find_message(reply.body) or reply.text
    shown = "".join(each if each.isprintable() else " " for each in words)
    return " ".join(shown.split())[:_SAID] or "it says nothing"


def make_alike(told: str) -> str:
    """Makes the form of a message that is the same for rows that fail for the same reason."""
    return re.sub(r"\d+", "#", told)


def find_hint(headers: Mapping[str, str], *, limited: bool, now: float | None = None) -> float:
    """Finds the seconds that a server asks to wait; 0.0 where it asks nothing.

    Args:
        headers: by lower-case name: Retry-After (RFC 9110, 10.2.3) and its kin.
        limited: limits of a rate count, too: when they are lifted.
        now: seconds since the epoch, for a date.
    """
    found = [_read_seconds(headers.get("retry-after-ms", "")) / 1000]
    after = headers.get("retry-after", "")
    found.append(_read_seconds(after) or _read_date(after, time.time() if now is None else now))
    if limited and not any(found):
        found += [
            _read_seconds(value)
            for name, value in headers.items()
            if name.startswith("x-ratelimit-reset")
        ]
    return max(found)


def _read_seconds(text: str) -> float:
    """Reads "7", "7.5", "6m0s" or "20ms"; 0.0 for anything else."""
    text = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text) if math.isfinite(float(text)) else 0.0
    if re.fullmatch(rf"(?:{_PART.pattern})+", text):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return 0.0


def _read_date(text: str, now: float) -> float:
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _find_message(body: Any) -> str:
    """Finds the sentence in an error's body, in OpenAI's form or a plain one."""
    table = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    error = table.get("error")
    inner = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
    places = (inner.get("message"), error, table.get("message"), table.get("detail"))
    return next((text for text in places if isinstance(text, str) and text), "")


def _advise(status: int) -> str:
    """Ends a message with what its reader can do."""
    return {
        401: "; is it the right key, and in the right variable?",
        403: "; may this key use this model?",
        404: "; does the address end in /v1, and is the model's name right?",
        405: "; does the address end in /v1?",
    }.get(status, "")
