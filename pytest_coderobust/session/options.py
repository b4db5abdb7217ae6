"""The table of options: one row makes an option of pytest, of the commands and of Python.

Importing this costs nothing: the plugin reads it in every pytest run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_coderobust.reporting.formats import FORMATS, OWN, list_options
from pytest_coderobust.session.model_rows import MODEL_ROWS
from pytest_coderobust.session.option import Option
from pytest_coderobust.session.values import (
    read_count,
    read_flag,
    read_judges,
    read_names,
    read_path,
    read_plan,
    read_quality,
    read_shard,
    read_text,
    read_texts,
)


def _make_format_options(names: Iterable[str]) -> Iterator[Option]:
    """Makes an option for each format that pytest offers; foreign formats come last."""
    helps = list_options("pytest")
    for name in names:
        if name in helps:
            yield Option(name, "format", helps[name], read_path, metavar="PATH")


_ROWS = (
    Option(
        "model",
        "run",
        "the model to test: a short name (tiny, codellama-7b, ...), a local folder, a hub id, "
        "http://HOST:PORT/v1#NAME, openai:NAME, replay:FILE or oracle",
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
        "(5000), money (5usd) or tokens (2Mtok) of a served model, or several by commas",
        read_text,
        metavar="BUDGET",
        alias="--budget",
    ),
    Option(
        "plan",
        "run",
        "print what the run would ask and cost, and ask nothing; =probe shakes hands with a server",
        read_plan,
        metavar="HOW",
        bare="quiet",
    ),
    Option(
        "shard",
        "run",
        "measure one part of every suite's plan, for `coderobust merge` to put together: 3/16",
        read_shard,
        metavar="I/N",
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
        "quality",
        "run",
        "judge the quality of solutions by pylint; =ruff is quicker, under other rules",
        read_quality,
        metavar="TOOL",
        alias="--quality",
        bare="pylint",
    ),
    Option(
        "quality-paper",
        "run",
        "judge quality as Liu et al. 2026 do: pylint's defaults, the prompt's lines too",
        read_flag,
        default=False,
        alias="--quality-paper",
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
    *_make_format_options(("json", "html")),  # the order of the help puts bug reports next
    Option(
        "bug-reports",
        "report",
        "write one report for each breaking prompt into this folder",
        read_path,
        metavar="DIR",
        alias="--bug-reports",
    ),
    *_make_format_options(name for name in FORMATS if name not in ("json", "html")),
    Option(
        "ledger",
        "store",
        "where results are kept (default .coderobust/ledger.sqlite)",
        read_path,
        metavar="PATH",
    ),
    *MODEL_ROWS,
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
        "sandbox processes, of each node where nodes judge (default: the processor's cores)",
        read_count,
        metavar="N",
    ),
    Option(
        "judges",
        "store",
        "judge on a Ray cluster's nodes: ray:HOST:PORT; ray takes RAY_ADDRESS or this machine",
        read_judges,
        metavar="WHERE",
    ),
)

_OURS = {row.field for row in _ROWS if row.group != "format" or row.name in OWN}

CLASHES = tuple(
    row.name
    for row in _ROWS
    if row.name not in OWN and row.group == "format" and row.field in _OURS
)
"""Formats of installed packages that have the name of an option; `check_choices` refuses them."""

OPTIONS = tuple(row for row in _ROWS if row.group != "format" or row.name not in CLASHES)
"""Every option, in the order of the help."""
