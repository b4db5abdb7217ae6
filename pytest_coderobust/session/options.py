"""The table of options: one row makes an option of pytest, of the commands and of Python.

Importing this costs nothing: the plugin reads it in every pytest run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from pytest_coderobust.errors import UsageError

Part = Literal["model", "suite", "run", "report", "store"]
"""Which door shows a row: "model" and "store" rows belong to every command that opens a model."""

Reader = Callable[[str, object], object]
"""Makes an option's value of a word or a Python value; the first argument names it in errors.

Raises:
    UsageError: the value is impossible.
"""

NUMBERED = ("cuda", "mps", "xpu", "npu", "hpu")
"""Kinds of accelerators, of which a machine may have several."""

DEVICES = ("auto", "cpu", *NUMBERED, "balanced", "balanced_low_0", "sequential")
DTYPES = ("auto", "float32", "float16", "bfloat16")
CHAT = {"auto": None, "yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        name: what follows "--coderobust-" in pytest and "--" in a command; with underscores it is
            the ini key's end, the field of `Choices` and the keyword argument.
        read: validates a value.
        default: the value where nobody chose one.
        metavar: what the value is called in the help; "" for a flag.
        alias: pytest's short form, added politely; "" for none.
        repeated: may be given several times; one a line in ini files.
    """

    name: str
    part: Part
    help: str
    read: Reader
    default: object = None
    metavar: str = ""
    alias: str = ""
    repeated: bool = False

    @property
    def field(self) -> str:
        """The field of `Choices`, and the keyword argument."""
        return self.name.replace("-", "_")

    @property
    def flag(self) -> bool:
        return not self.metavar


def read_text(_label: str, value: object) -> str | None:
    """A text; an empty one is none."""
    return str(value) or None


def read_path(_label: str, value: object) -> Path | None:
    """A path; an empty one is none."""
    return Path(str(value)) if str(value) else None


def read_flag(_label: str, value: object) -> bool:
    """Whether a flag is set."""
    return bool(value)


def read_names(_label: str, value: object) -> tuple[str, ...] | None:
    """Names separated by commas, or a sequence of them."""
    parts = value.split(",") if isinstance(value, str) else list(_sequence(value))
    return tuple(name for name in (str(part).strip() for part in parts) if name) if value else None


def read_texts(_label: str, value: object) -> tuple[str, ...]:
    """A sequence of texts, blank ones left out."""
    parts = [value] if isinstance(value, str) else _sequence(value)
    return tuple(text for text in (str(part).strip() for part in parts) if text)


def read_count(label: str, value: object) -> int | None:
    """A whole number from 1; an empty text is none."""
    text = str(value)
    if not text:
        return None
    if isinstance(value, bool) or not text.isdecimal() or int(text) < 1:
        raise UsageError(f"{label} {text!r} must be a whole number from 1")
    return int(text)


def read_choice(choices: Sequence[str], label: str, value: object) -> str:
    """One of some words; an empty text is the first."""
    text = str(value) or choices[0]
    if text not in choices:
        raise UsageError(f"{label} {text!r} must be one of {', '.join(choices)}")
    return text


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


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()


OPTIONS = (
    Option(
        "model",
        "run",
        "the model to test: a short name (tiny, codellama-7b, ...), a local folder, a hub id, "
        "replay:FILE or oracle",
        read_text,
        metavar="MODEL",
        alias="--model",
    ),
    Option(
        "perturb",
        "suite",
        "perturbations in the place of the suites' own, separated by commas",
        read_names,
        metavar="NAMES",
        alias="--perturb",
    ),
    Option(
        "edit",
        "suite",
        "edit the model and test the edited one: an editor (creme, rome:layer=5,lr=0.5, ...) or "
        "the folder of a saved edit; given again, edits are stacked",
        read_texts,
        default=(),
        metavar="EDIT",
        alias="--edit",
        repeated=True,
    ),
    Option("strict", "run", "a broken prompt fails its test", read_flag, default=False),
    Option(
        "hunt",
        "run",
        "search the smallest breaking prompt of every solved task",
        read_flag,
        default=False,
        alias="--hunt",
    ),
    Option(
        "budget",
        "run",
        "what the run, or with --hunt the hunt, may spend: a time (30m, 90s, 2h), completions "
        "(5000), or both by a comma",
        read_text,
        metavar="BUDGET",
        alias="--budget",
    ),
    Option(
        "early", "run", "ask no more of a suite than settles its gates", read_flag, default=False
    ),
    Option(
        "no-gates",
        "run",
        "print gates as off; for working on a part of a suite",
        read_flag,
        default=False,
    ),
    Option(
        "noise-floor",
        "run",
        "re-run clean prompts with other batch sizes and seeds, and refuse finer thresholds",
        read_flag,
        default=False,
        alias="--noise-floor",
    ),
    Option(
        "baseline",
        "report",
        "compare with this file, or with the suite's file in this folder; worse fails",
        read_path,
        metavar="PATH",
        alias="--baseline",
    ),
    Option(
        "update-baseline",
        "report",
        "write the --baseline file from this run, when it is whole",
        read_flag,
        default=False,
        alias="--update-baseline",
    ),
    Option("json", "report", "write the results to this file", read_path, metavar="PATH"),
    Option(
        "html",
        "report",
        "write the report to this file as one page for a browser",
        read_path,
        metavar="PATH",
    ),
    Option(
        "bug-reports",
        "report",
        "write one report for each breaking prompt into this folder",
        read_path,
        metavar="DIR",
        alias="--bug-reports",
    ),
    Option(
        "markdown", "report", "write the report to this file as Markdown", read_path, metavar="PATH"
    ),
    Option(
        "ledger",
        "store",
        "where results are kept (default .coderobust/ledger.sqlite)",
        read_path,
        metavar="PATH",
    ),
    Option(
        "device",
        "model",
        "cpu, cuda, cuda:1, mps or auto (default auto)",
        read_device,
        default="auto",
        metavar="DEVICE",
    ),
    Option(
        "dtype",
        "model",
        "auto, float32, float16 or bfloat16 (default auto)",
        partial(read_choice, DTYPES),
        default="auto",
        metavar="DTYPE",
    ),
    Option(
        "batch-size",
        "model",
        "rows a generation batch (default: the model's own)",
        read_count,
        metavar="N",
    ),
    Option(
        "threads",
        "model",
        "processor threads of the model (default: chosen by its size)",
        read_count,
        metavar="N",
    ),
    Option(
        "chat",
        "model",
        "yes, no or auto: talk through the model's chat template",
        read_chat,
        metavar="WHEN",
    ),
    Option(
        "allow-bin",
        "model",
        "load .bin weights (weights_only) where there are no safetensors",
        read_flag,
        default=False,
    ),
    Option(
        "trust-remote-code",
        "model",
        "let a checkpoint run its own Python code",
        read_flag,
        default=False,
    ),
    Option(
        "allow-unsafe",
        "store",
        "run solutions under resource limits alone where no isolation works: they can then read "
        "and write what you can",
        read_flag,
        default=False,
        alias="--allow-unsafe",
    ),
    Option(
        "sandbox-workers",
        "store",
        "sandbox processes (default: the processor's cores)",
        read_count,
        metavar="N",
    ),
)
"""Every option, in the order of the help."""
