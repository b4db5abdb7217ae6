"""The registry of report formats: one row each, from which every option for a report file is made.

A row names the function that makes the text, so that listing the formats imports none of them.
Installed packages add rows by the entry-point group `coderobust.formats`; the object that an entry
point names is a `Format`:

    ROW = Format("our_package.report:render", ".csv")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_coderobust.errors import UsageError
from pytest_coderobust.extensions import read_rows

if TYPE_CHECKING:
    from pytest_coderobust.results.conclusion import SuiteReport

    Render: TypeAlias = Callable[[Sequence[SuiteReport]], str | Iterator[str]]

GROUP = "coderobust.formats"
FOREIGN_HELP = "write the report of an installed package, in its format {name}, to this file"


@dataclass(frozen=True, slots=True)
class Format:
    """One format of a report file.

    Attributes:
        code: "module:function" of a function that turns the reports of a session into text, or
            into pieces of text that follow one another: a long report need never be whole.
        suffix: the usual end of such a file's name.
        pytest_help, command_help: help of the option that each door has for a format of our own;
            "" where that door has none.
    """

    code: str
    suffix: str
    pytest_help: str = ""
    command_help: str = ""


OWN: Mapping[str, Format] = {
    "json": Format(
        "pytest_coderobust.reporting.json.document:render",
        ".json",
        pytest_help="write the results to this file",
        command_help="write the document for machines",
    ),
    "markdown": Format(
        "pytest_coderobust.reporting.markdown.report:render",
        ".md",
        pytest_help="write the report to this file as Markdown",
        command_help="write GitHub Flavored Markdown, as in a step summary",
    ),
    "html": Format(
        "pytest_coderobust.reporting.html:render",
        ".html",
        pytest_help="write the report to this file as one page for a browser",
        command_help="write one page for a browser, which needs nothing else",
    ),
    "junit": Format(
        "pytest_coderobust.reporting.junit:render",
        ".xml",
        # A session has pytest write its own, with --junitxml.
        command_help="write JUnit XML: a test case for each gate and each item",
    ),
}
FORMATS = read_rows(GROUP, Format, OWN)


def list_options(door: Literal["pytest", "command"]) -> dict[str, str]:
    """Lists the formats that a door offers, each with the help of its option; imports no package.

    The row of an installed package is not imported for its help, so that a package that is broken
    stops nobody who does not ask for its format. Both doors offer it.

    Args:
        door: pytest with `--coderobust-NAME`, or the command `coderobust report` with `--NAME`.
    """
    helps: dict[str, str] = {}
    for name in FORMATS:
        own = OWN.get(name)
        if own is None:
            helps[name] = FOREIGN_HELP.format(name=name)
        elif text := own.pytest_help if door == "pytest" else own.command_help:
            helps[name] = text
    return helps


def render_format(name: str, reports: Sequence[SuiteReport]) -> str:
    """Makes the text of one format.

    Raises:
        UsageError: the format is an installed package's, and its row or its code fails.
    """
    return "".join(iterate_format(name, reports))


def iterate_format(name: str, reports: Sequence[SuiteReport]) -> Iterator[str]:
    """Makes the text of one format piece by piece; errors as `render_format`."""
    render = load_code(name)
    try:
        made = render(reports)
        yield from (made,) if isinstance(made, str) else map(_read_piece, made)
    except Exception as error:
        if name in OWN:
            raise
        raise _refuse(name, error) from error


def _read_piece(piece: object) -> str:
    """Reads what code of an installed package may have given in the place of text."""
    if not isinstance(piece, str):
        raise TypeError(f"it gave {type(piece).__name__}, and a report is text")
    return piece


def load_code(name: str) -> Render:
    """Imports the function that makes a format's text; errors as `render_format`."""
    module, _, function = FORMATS[name].code.partition(":")
    if name in OWN:
        own: Render = getattr(import_module(module), function)
        return own
    try:
        foreign: Render = getattr(import_module(module), function)
    except Exception as error:
        raise _refuse(name, error) from error
    return foreign


def _refuse(name: str, error: Exception) -> UsageError:
    """The error of a format of an installed package, whose code may raise anything."""
    code = FORMATS[name].code
    return UsageError(
        f"{GROUP}: the code {code!r} of {name!r} fails: {type(error).__name__}: {error}"
    )


def write_format(name: str, reports: Sequence[SuiteReport], path: Path) -> None:
    """Writes one format, and the folders above the file where they are missing.

    A file that was there stays as it is until all of the new one is written.

    Raises:
        OSError: the file cannot be written.
        UsageError: as `render_format`.
    """
    from pytest_coderobust.files import replace_pieces  # every pytest run reads this table

    pieces = (piece.encode("utf-8") for piece in iterate_format(name, reports))
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.resolve()
    if whole.exists() and not whole.is_file():  # a pipe, a terminal
        with whole.open("wb") as stream:
            stream.writelines(pieces)
    else:
        replace_pieces(whole, pieces)
