"""Every option: its name, its ini key, its short alias.

Options are ours politely: `--coderobust-model` is always there, `--model` only when somebody
uses it and nobody else owns it, because a plugin that takes a common name breaks the suites of
people who merely have it installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
        return dest(self.name)

    @property
    def flag(self) -> bool:
        return not self.metavar


def dest(name: str) -> str:
    """Where pytest keeps an option's value, and what its ini key is called."""
    return f"coderobust_{name.replace('-', '_')}"


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


def _shape(option: Option) -> dict[str, Any]:
    """What pytest is told about an option under either of its names."""
    if option.flag:
        return {"dest": option.dest, "action": "store_true", "default": None}
    action = "append" if option.repeated else "store"
    return {"dest": option.dest, "metavar": option.metavar, "default": None, "action": action}


def _uses(arguments: Sequence[str], alias: str) -> bool:
    return any(word == alias or word.startswith(f"{alias}=") for word in arguments)
