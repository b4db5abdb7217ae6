"""Every option: its name, its ini key, its short alias; and the choices they add up to.

Options are ours politely: `--coderobust-model` is always there, `--model` only when somebody
uses it and nobody else owns it, because a plugin that takes a common name breaks the suites of
people who merely have it installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

GROUP = "coderobust"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the plugin.

    Attributes:
        name: what follows "--coderobust-" and, with underscores, "coderobust_" in ini files.
        alias: the short form, added politely; "" for none.
        repeated: may be given several times; one a line in ini files.
        metavar: what the value is called in the help; "" for a flag.
    """

    name: str
    help: str
    metavar: str = ""
    alias: str = ""
    repeated: bool = False

    @property
    def dest(self) -> str:
        return f"coderobust_{self.name.replace('-', '_')}"

    @property
    def flag(self) -> bool:
        return not self.metavar


OPTIONS = (
    Option(
        "model",
        "the model to test: a short name (tiny, codellama-7b, ...), a local folder, a hub id, "
        "replay:FILE or oracle",
        "MODEL",
        "--model",
    ),
    Option(
        "perturb",
        "perturbations in the place of the suites' own, separated by commas",
        "NAMES",
        "--perturb",
    ),
    Option(
        "edit",
        "edit the model and test the edited one: an editor (creme, rome:layer=5,lr=0.5, ...) or "
        "the folder of a saved edit; given again, edits are stacked",
        "EDIT",
        "--edit",
        repeated=True,
    ),
    Option("strict", "a broken prompt fails its test"),
    Option("hunt", "search the smallest breaking prompt of every solved task", alias="--hunt"),
    Option(
        "budget",
        "what the run, or with --hunt the hunt, may spend: a time (30m, 90s, 2h), completions "
        "(5000), or both by a comma",
        "BUDGET",
        "--budget",
    ),
    Option("early", "ask no more of a suite than settles its gates"),
    Option("no-gates", "print gates as off; for working on a part of a suite"),
    Option(
        "noise-floor",
        "re-run clean prompts with other batch sizes and seeds, and refuse finer thresholds",
        alias="--noise-floor",
    ),
    Option(
        "baseline",
        "compare with this file, or with the suite's file in this folder; worse fails",
        "PATH",
        "--baseline",
    ),
    Option(
        "update-baseline",
        "write the --baseline file from this run, when it is whole",
        alias="--update-baseline",
    ),
    Option("json", "write the results to this file", "PATH"),
    Option("html", "write the report to this file as one page for a browser", "PATH"),
    Option(
        "bug-reports",
        "write one report for each breaking prompt into this folder",
        "DIR",
        "--bug-reports",
    ),
    Option("markdown", "write the report to this file as Markdown", "PATH"),
    Option("ledger", "where results are kept (default .coderobust/ledger.sqlite)", "PATH"),
    Option("device", "cpu, cuda, cuda:1, mps or auto (default auto)", "DEVICE"),
    Option("dtype", "auto, float32, float16 or bfloat16 (default auto)", "DTYPE"),
    Option("batch-size", "rows a generation batch (default: the model's own)", "N"),
    Option("threads", "processor threads of the model (default: chosen by its size)", "N"),
    Option("chat", "yes, no or auto: talk through the model's chat template", "WHEN"),
    Option("allow-bin", "load .bin weights (weights_only) where there are no safetensors"),
    Option("trust-remote-code", "let a checkpoint run its own Python code"),
    Option(
        "allow-unsafe",
        "run solutions under resource limits alone where no isolation works: they can then read "
        "and write what you can",
        alias="--allow-unsafe",
    ),
    Option("sandbox-workers", "sandbox processes (default: the processor's cores)", "N"),
)


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


def add_options(parser: pytest.Parser) -> None:
    """Adds every canonical option and its ini key."""
    group = parser.getgroup(GROUP, "robustness of code models (pytest-coderobust)")
    for option in OPTIONS:
        name = f"--coderobust-{option.name}"
        short = f" (short: {option.alias})" if option.alias else ""
        group.addoption(name, help=option.help + short, **_shape(option))
        if option.flag:
            parser.addini(option.dest, option.help, type="bool")
        else:
            kind: Literal["linelist", "string"] = "linelist" if option.repeated else "string"
            parser.addini(option.dest, option.help, type=kind)


def add_aliases(parser: pytest.Parser, arguments: Sequence[str]) -> None:
    """Adds the short forms that this command uses and nobody else owns.

    Called when every plugin and conftest has registered its own.
    """
    group = parser.getgroup(GROUP)
    for option in OPTIONS:
        if not option.alias or not _uses(arguments, option.alias):
            continue
        probe = option.alias if option.flag else f"{option.alias}=x"
        if probe in parser.parse_known_and_unknown_args([probe])[1]:
            group.addoption(option.alias, help=option.help, **_shape(option))


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
        device=_text(config, "device") or "auto",
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


def _shape(option: Option) -> dict[str, Any]:
    """What pytest is told about an option under either of its names."""
    if option.flag:
        return {"dest": option.dest, "action": "store_true", "default": None}
    action = "append" if option.repeated else "store"
    return {"dest": option.dest, "metavar": option.metavar, "default": None, "action": action}


def _uses(arguments: Sequence[str], alias: str) -> bool:
    return any(word == alias or word.startswith(f"{alias}=") for word in arguments)


def _text(config: pytest.Config, name: str) -> str | None:
    dest = f"coderobust_{name.replace('-', '_')}"
    value = config.getoption(dest, None)
    return str(value) if value is not None else (str(config.getini(dest)) or None)


def _texts(config: pytest.Config, name: str) -> tuple[str, ...]:
    dest = f"coderobust_{name.replace('-', '_')}"
    values = config.getoption(dest, None) or config.getini(dest)
    return tuple(text for text in (str(value).strip() for value in values) if text)


def _path(config: pytest.Config, name: str) -> Path | None:
    value = _text(config, name)
    return config.invocation_params.dir / value if value else None


def _flag(config: pytest.Config, name: str) -> bool:
    dest = f"coderobust_{name.replace('-', '_')}"
    value = config.getoption(dest, None)
    return bool(config.getini(dest) if value is None else value)


def _count(config: pytest.Config, name: str) -> int | None:
    value = _text(config, name)
    if value is None:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise pytest.UsageError(f"--coderobust-{name} {value!r} must be a whole number from 1")
    return int(value)


def _one_of(config: pytest.Config, name: str, choices: Sequence[str]) -> str:
    value = _text(config, name) or choices[0]
    if value not in choices:
        raise pytest.UsageError(
            f"--coderobust-{name} {value!r} must be one of {', '.join(choices)}"
        )
    return value
