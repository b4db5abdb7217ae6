"""What the user chose: the command line before the ini file before the defaults."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_coderobust.plugin.options import dest

NUMBERED = ("cuda", "mps", "xpu", "npu", "hpu")
"""Kinds of accelerators, of which a machine may have several."""
DEVICES = ("auto", "cpu", *NUMBERED, "balanced", "balanced_low_0", "sequential")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose, read once; numbers validated.

    Raises:
        pytest.UsageError: from `read_choices`, for a value that cannot be.
    """

    model: str | None
    perturb: tuple[str, ...] | None
    edit: tuple[str, ...]
    strict: bool
    hunt: bool
    budget: str | None
    early: bool
    gates: bool
    noise_floor: bool
    baseline: Path | None
    update_baseline: bool
    json: Path | None
    html: Path | None
    bug_reports: Path | None
    markdown: Path | None
    ledger: Path | None
    device: str
    dtype: str
    batch_size: int | None
    threads: int | None
    chat: bool | None
    allow_bin: bool
    trust_remote_code: bool
    allow_unsafe: bool
    sandbox_workers: int | None

    def arguments(self) -> list[str]:
        """The options that change what a model answers, as words of a command."""
        named = {
            "model": self.model,
            "perturb": ",".join(self.perturb) if self.perturb else None,
            "device": None if self.device == "auto" else self.device,
            "dtype": None if self.dtype == "auto" else self.dtype,
            "batch-size": self.batch_size,
            "chat": None if self.chat is None else ("yes" if self.chat else "no"),
        }
        words = [f"--coderobust-{name}={value}" for name, value in named.items() if value]
        words += [f"--coderobust-edit={edit}" for edit in self.edit]
        flags = {"allow-bin": self.allow_bin, "trust-remote-code": self.trust_remote_code}
        return words + [f"--coderobust-{name}" for name, chosen in flags.items() if chosen]


def read_choices(config: pytest.Config) -> Choices:
    """The command line before the ini file before the defaults.

    Raises:
        pytest.UsageError: a value cannot be.
    """
    perturb = _text(config, "perturb")
    return Choices(
        model=_text(config, "model"),
        perturb=tuple(name.strip() for name in perturb.split(",") if name.strip())
        if perturb
        else None,
        edit=_texts(config, "edit"),
        strict=_flag(config, "strict"),
        hunt=_flag(config, "hunt"),
        budget=_text(config, "budget"),
        early=_flag(config, "early"),
        gates=not _flag(config, "no-gates"),
        noise_floor=_flag(config, "noise-floor"),
        baseline=_path(config, "baseline"),
        update_baseline=_flag(config, "update-baseline"),
        json=_path(config, "json"),
        html=_path(config, "html"),
        bug_reports=_path(config, "bug-reports"),
        markdown=_path(config, "markdown"),
        ledger=_path(config, "ledger"),
        device=_device(config),
        dtype=_one_of(config, "dtype", ("auto", "float32", "float16", "bfloat16")),
        batch_size=_count(config, "batch-size"),
        threads=_count(config, "threads"),
        chat={"yes": True, "no": False, "auto": None}[
            _one_of(config, "chat", ("auto", "yes", "no"))
        ],
        allow_bin=_flag(config, "allow-bin"),
        trust_remote_code=_flag(config, "trust-remote-code"),
        allow_unsafe=_flag(config, "allow-unsafe"),
        sandbox_workers=_count(config, "sandbox-workers"),
    )


def _text(config: pytest.Config, name: str) -> str | None:
    key = dest(name)
    value = config.getoption(key, None)
    return str(value) if value is not None else (str(config.getini(key)) or None)


def _texts(config: pytest.Config, name: str) -> tuple[str, ...]:
    key = dest(name)
    values = config.getoption(key, None) or config.getini(key)
    return tuple(text for text in (str(value).strip() for value in values) if text)


def _path(config: pytest.Config, name: str) -> Path | None:
    """A word of the command is a path from where it was typed, an ini key's from the root."""
    key = dest(name)
    typed: str | None = config.getoption(key, None)
    if typed is not None:
        return config.invocation_params.dir / typed if typed else None
    kept = str(config.getini(key))
    return config.rootpath / kept if kept else None


def _flag(config: pytest.Config, name: str) -> bool:
    key = dest(name)
    value = config.getoption(key, None)
    return bool(config.getini(key) if value is None else value)


def _count(config: pytest.Config, name: str) -> int | None:
    value = _text(config, name)
    if value is None:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise pytest.UsageError(f"--coderobust-{name} {value!r} must be a whole number from 1")
    return int(value)


def _device(config: pytest.Config) -> str:
    """A device by torch's names, which are not asked for here: torch takes seconds to import."""
    value = _text(config, "device") or "auto"
    if not re.fullmatch(rf"(?:{'|'.join(DEVICES)})|(?:{'|'.join(NUMBERED)}):\d+", value):
        raise pytest.UsageError(
            f"--coderobust-device {value!r} must be one of {', '.join(DEVICES)}; or cuda:1"
        )
    return value


def _one_of(config: pytest.Config, name: str, choices: Sequence[str]) -> str:
    value = _text(config, name) or choices[0]
    if value not in choices:
        raise pytest.UsageError(
            f"--coderobust-{name} {value!r} must be one of {', '.join(choices)}"
        )
    return value
