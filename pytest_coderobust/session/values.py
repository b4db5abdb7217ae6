"""Values of options: each reader validates one kind, from a word or from a Python value."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pytest_coderobust.errors import UsageError

if TYPE_CHECKING:
    from pytest_coderobust.config.shard import Shard

Reader = Callable[[str, object], object]
"""Makes an option's value of a word or a Python value; the first argument names it in errors.

Raises:
    UsageError: the value is impossible.
"""

NUMBERED = ("cuda", "mps", "xpu", "npu", "hpu")
"""Kinds of accelerators, of which a machine may have several."""

DEVICES = ("auto", "cpu", *NUMBERED, "balanced", "balanced_low_0", "sequential")
MOST_REQUESTS = 1024
_TIME = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")
_JUDGES = re.compile(r"ray(?::(?:local|(?:[\w.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}))?", re.ASCII)
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
DTYPES = ("auto", "float32", "float16", "bfloat16")
TIERS = ("observed", "stated", "verified")
CHAT = {"auto": None, "yes": True, "no": False}


def read_text(_label: str, value: object) -> str:
    """A text; an empty one is not left out, so that a variable that is not set is noticed."""
    return str(value)


def read_path(_label: str, value: object) -> Path | None:
    """A path; an empty one is none."""
    return Path(str(value)) if str(value) else None


def read_flag(_label: str, value: object) -> bool:
    """Whether a flag is set."""
    return bool(value)


def read_names(label: str, value: object) -> tuple[str, ...] | None:
    """Names separated by commas, or a list of them, which may have none; "" is no choice."""
    if value == "":
        return None
    if not isinstance(value, (str, list, tuple)):
        raise UsageError(f"{label} {value!r} must be a name or a list of names")
    parts = value.split(",") if isinstance(value, str) else cast("Sequence[object]", value)
    return tuple(name for name in (str(part).strip() for part in parts) if name)


def read_texts(_label: str, value: object) -> tuple[str, ...]:
    """A sequence of texts, blank ones left out."""
    parts = [value] if isinstance(value, str) else _as_sequence(value)
    return tuple(text for text in (str(part).strip() for part in parts) if text)


def read_count(label: str, value: object) -> int:
    """A whole number from 1."""
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or int(text) < 1:
        raise UsageError(f"{label} {text!r} must be a whole number from 1")
    return int(text)


def read_concurrency(label: str, value: object) -> int | None:
    """A whole number from 1 to 1024; "auto" is None, which leaves it to the client."""
    if value is None or str(value) in ("", "auto"):
        return None
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or not 1 <= int(text) <= MOST_REQUESTS:
        raise UsageError(
            f"{label} {text!r} must be 'auto', or a whole number from 1 to {MOST_REQUESTS}"
        )
    return int(text)


def read_seconds(label: str, value: object) -> float:
    """A time above 0 as people write it ("90s", "10m", "2h"), in seconds; a number is seconds."""
    text = str(value).strip()
    found = _TIME.fullmatch(text)
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    if isinstance(value, bool) or not 0.0 < seconds < float("inf"):
        raise UsageError(f"{label} {text!r} must be a time such as '90s', '10m' or '2h'")
    return seconds


def read_variable(label: str, value: object) -> str:
    """The name of an environment variable."""
    text = str(value)
    if not re.fullmatch(r"[A-Za-z_]\w*", text, re.ASCII):
        # The text is not shown: somebody may have pasted the key itself.
        raise UsageError(f"{label} must be the name of an environment variable, and not a key")
    return text


def read_choice(choices: Sequence[str], label: str, value: object) -> str:
    """One of some words; an empty text is the first."""
    text = str(value) or choices[0]
    if text not in choices:
        raise UsageError(f"{label} {text!r} must be one of {', '.join(choices)}")
    return text


def read_shard(label: str, value: object) -> Shard | None:
    """A part of a run, as "3/16"; an empty text is none."""
    from pytest_coderobust.config.shard import parse_shard  # the plugin reads options in every run

    return parse_shard(label, str(value)) if str(value) else None


def read_judges(label: str, value: object) -> object:
    """The machines that judge: "ray", "ray:local" or "ray:HOST:PORT"; an empty text is none.

    In Python it may be an open sandbox, too.
    """
    if callable(getattr(value, "submit", None)):
        return value
    text = str(value)
    if text and not _JUDGES.fullmatch(text):
        raise UsageError(f"{label} {text!r} must be 'ray', or 'ray:HOST:PORT' of a cluster's head")
    return text or None


def read_plan(label: str, value: object) -> str:
    """The way a plan is made: without asking anything, or with a handshake."""
    return read_choice(("quiet", "probe"), label, value)


def read_quality(label: str, value: object) -> str | None:
    """The linter that judges quality; an empty text is none."""
    return read_choice(("pylint", "ruff"), label, value) if str(value) else None


def read_chat(label: str, value: object) -> bool | None:
    """Whether to talk through the chat template; None leaves it to the model."""
    if value is None or isinstance(value, bool):
        return value
    return CHAT[read_choice(tuple(CHAT), label, value)]


def read_device(label: str, value: object) -> str:
    """A device by torch's names, without torch, which takes seconds to import."""
    text = str(value) or "auto"
    if not re.fullmatch(rf"(?:{'|'.join(DEVICES)})|(?:{'|'.join(NUMBERED)}):\d+", text):
        raise UsageError(f"{label} {text!r} must be one of {', '.join(DEVICES)}; or cuda:1")
    return text


def _as_sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()
