"""The user's choices, read once and validated, whichever door they came through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from pytest_coderobust.session.options import OPTIONS

if TYPE_CHECKING:
    from pytest_coderobust.config.shard import Shard
    from pytest_coderobust.sandbox.check import Sandbox

Label = Callable[[str], str]
"""Spells an option's name as the door's user writes it: "--coderobust-device", "--device"."""


class ModelKeywords(TypedDict, total=False):
    """The rows of `OPTIONS` about models and the sandbox, as keyword arguments."""

    device: str
    dtype: str
    batch_size: int | None
    threads: int | None
    concurrency: int | None
    patience: float
    api_key_env: str | None
    demand_identity: str
    new_generation: bool
    chat: bool | None
    allow_bin: bool
    trust_remote_code: bool
    allow_unsafe: bool
    sandbox_workers: int | None
    judges: str | Sandbox | None


@dataclass(frozen=True, slots=True)
class Choices:
    """One value for each row of `OPTIONS`; the defaults are theirs.

    Attributes:
        formats: the files of the reports that were asked for, by the name of their format.
    """

    model: str | None = None
    perturb: tuple[str, ...] | None = None
    edit: tuple[str, ...] = ()
    strict: bool = False
    hunt: bool = False
    budget: str | None = None
    plan: str | None = None
    shard: Shard | None = None
    early: bool = False
    no_gates: bool = False
    noise_floor: bool = False
    quality: str | None = None
    quality_paper: bool = False
    baseline: Path | None = None
    update_baseline: bool = False
    bug_reports: Path | None = None
    formats: Mapping[str, Path] = field(default_factory=dict[str, Path])
    ledger: Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int | None = None
    threads: int | None = None
    concurrency: int | None = None
    patience: float = 600.0
    api_key_env: str | None = None
    demand_identity: str = "observed"
    new_generation: bool = False
    chat: bool | None = None
    allow_bin: bool = False
    trust_remote_code: bool = False
    allow_unsafe: bool = False
    sandbox_workers: int | None = None
    judges: str | Sandbox | None = None

    @property
    def gates(self) -> bool:
        """Whether gates decide."""
        return not self.no_gates

    def arguments(self) -> list[str]:
        """The options that change what a model answers, as words of a pytest command."""
        named = {
            "model": self.model,
            "perturb": ",".join(self.perturb) if self.perturb else None,
            "device": None if self.device == "auto" else self.device,
            "dtype": None if self.dtype == "auto" else self.dtype,
            "batch-size": self.batch_size,
            "api-key-env": self.api_key_env,
            "chat": None if self.chat is None else ("yes" if self.chat else "no"),
        }
        words = [f"{spell_for_pytest(name)}={value}" for name, value in named.items() if value]
        words += [f"{spell_for_pytest('edit')}={edit}" for edit in self.edit]
        flags = {"allow-bin": self.allow_bin, "trust-remote-code": self.trust_remote_code}
        return words + [spell_for_pytest(name) for name, chosen in flags.items() if chosen]


def make_choices(values: Mapping[str, object], label: Label) -> Choices:
    """The choices that some values make, by field; an absent one or None has its default.

    Raises:
        UsageError: a value is impossible.
    """
    chosen: dict[str, Any] = {
        option.field: option.default for option in OPTIONS if option.group != "format"
    }
    formats: dict[str, Path] = {}
    for option in OPTIONS:
        if (written := values.get(option.field)) is None:
            continue
        value = option.read(label(option.name), written)
        if option.group != "format":
            chosen[option.field] = value
        elif isinstance(value, Path):
            formats[option.name] = value
    return Choices(**chosen, formats=formats)


def spell_for_pytest(name: str) -> str:
    """An option's name as pytest's command line has it."""
    return f"--coderobust-{name}"


def spell_for_command(name: str) -> str:
    """An option's name as the `coderobust` commands have it."""
    return f"--{name}"


def spell_for_python(name: str) -> str:
    """An option's name as a keyword argument."""
    return name.replace("-", "_")
