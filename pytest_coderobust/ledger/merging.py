"""Merging: everything that a part of a run stored, taken into another ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_coderobust.errors import LedgerError
from pytest_coderobust.ledger.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class _Table:
    """A table whose rows are known by their content.

    Attributes:
        key: columns that name a row.
        same: columns that two rows of one key must have in common; seconds may differ.
    """

    name: str
    key: tuple[str, ...]
    same: tuple[str, ...]


_SQUARE = ("run", "task", "perturbation", "seed")
_SPENT = ("run", "session")
_TABLES = (
    _Table("completions", ("key",), ("text", "finish", "tokens")),
    _Table("thoughts", ("key",), ("thought_tokens", "opened")),
    _Table("verdicts", ("key",), ("level", "passed", "total", "failure", "tier", "api_uses")),
    _Table("observations", _SQUARE, ("body", "prompt", "completions", "verdicts")),
    _Table("left_out", (*_SQUARE, "sample"), ("statements",)),
    _Table("edits", ("run", "name"), ("body",)),
    _Table("runs", ("run",), ()),
    _Table("contacts", ("model",), ()),
    _Table("lints", ("key",), ()),
    _Table("refusals", ("key",), ()),
    _Table("refusal_reasons", ("key",), ()),
    _Table("usage", _SPENT, ()),
    _Table("watching", _SPENT, ()),
)

# A number is given by its ledger; model, beginning and end are the interval's own.
_INTERVALS = """
INSERT INTO intervals (model, began, ended, state)
SELECT model, began, ended, state FROM part.intervals AS theirs WHERE NOT EXISTS (
    SELECT 1 FROM main.intervals AS ours
    WHERE ours.model = theirs.model AND ours.began = theirs.began
)
"""
_ASKED = """
INSERT OR IGNORE INTO main.asked SELECT answers.key, ours.number FROM part.asked AS answers
JOIN part.intervals AS theirs ON theirs.number = answers.interval
JOIN main.intervals AS ours ON ours.model = theirs.model AND ours.began = theirs.began
"""
_GENERATIONS = """
INSERT INTO main.generations (subject, id, made) SELECT subject, id, made
FROM part.generations AS theirs WHERE NOT EXISTS (
    SELECT 1 FROM main.generations AS ours
    WHERE ours.subject = theirs.subject AND ours.id = theirs.id
) ORDER BY theirs.number
"""
_CONCLUSIONS = """
INSERT OR IGNORE INTO main.conclusions (run, body) SELECT run, body FROM part.conclusions
ORDER BY number
"""


# A row of which a server refused something is asked for again: whoever was refused less knows more,
# and of two that were refused as much one counts, whichever comes first.
_REFUSED = "coalesce(json_extract({}.body, '$.refused'), 0)"
_SQUARES = ", ".join(_SQUARE)
_THEIRS = ", ".join(f"theirs.{column}" for column in _SQUARE)
_SAME_SQUARE = " AND ".join(f"theirs.{column} = ours.{column}" for column in _SQUARE)
# The part is read, and what is there is looked up: it may hold many parts by now. SQLite keeps the
# order of a CROSS JOIN.
_IN_BOTH = f"""SELECT {_THEIRS} FROM part.observations AS theirs
        CROSS JOIN main.observations AS ours ON {_SAME_SQUARE}"""  # noqa: S608  our own words
_OURS, _OTHERS = (
    f"{_REFUSED.format(name)}, {name}.body, {name}.prompt, {name}.completions, {name}.verdicts"
    for name in ("ours", "theirs")
)
_ASKED_AGAIN = tuple(
    f"""DELETE FROM main.{table} WHERE ({_SQUARES}) IN (
        {_IN_BOTH} WHERE {_REFUSED.format("ours")} > 0 AND ({_OURS}) > ({_OTHERS})
    )"""  # noqa: S608  our own words
    for table in ("left_out", "observations")
)
_LEFT_OUT = f"""
INSERT OR IGNORE INTO main.left_out SELECT * FROM part.left_out
WHERE ({_SQUARES}) IN (
    {_IN_BOTH} WHERE ({_OURS}) = ({_OTHERS})
)
"""  # noqa: S608  our own words


def merge_ledgers(out: Path, parts: Sequence[Path]) -> None:
    """Takes what the parts stored into the ledger `out`, by its keys; of each part all, or nothing.

    What is there already stays as it was, so that merging again changes nothing.

    Raises:
        LedgerError: a file is not a valid ledger, or two have different rows of one key.
    """
    for path in parts:
        Database(path).close()  # checks the schema, and adds tables that came later
    database = Database(out)
    try:
        for path in parts:
            database.attach(path)
            try:
                with database.transaction() as run:
                    _take(run, out, path)
            finally:
                database.detach()
    finally:
        database.close()


def _take(run: Transaction, out: Path, path: Path) -> None:
    for statement in _ASKED_AGAIN:
        run(statement)
    for table in _TABLES:
        _refuse_conflict(run, table, out, path)
        if table.name != "left_out":
            run(f"INSERT OR IGNORE INTO main.{table.name} SELECT * FROM part.{table.name}")  # noqa: S608
    for statement in (_LEFT_OUT, _INTERVALS, _ASKED, _GENERATIONS, _CONCLUSIONS):
        run(statement)


def _refuse_conflict(run: Transaction, table: _Table, out: Path, path: Path) -> None:
    """Refuses rows of one key that are not the same.

    Raises:
        LedgerError: names the first.
    """
    if not table.same:
        return
    joined = " AND ".join(f"ours.{column} = theirs.{column}" for column in table.key)
    differs = " OR ".join(f"ours.{column} IS NOT theirs.{column}" for column in table.same)
    shown = ", ".join(f"theirs.{column}" for column in table.key)
    if table.name == "observations":
        differs = f"({differs}) AND {_REFUSED.format('theirs')} = 0"
    found = run(
        f"SELECT {shown} FROM part.{table.name} AS theirs "  # noqa: S608
        f"CROSS JOIN main.{table.name} AS ours ON {joined} WHERE {differs} ORDER BY {shown} LIMIT 1"
    )
    if found:
        named = " ".join(str(value)[:32] for value in found[0])
        raise LedgerError(
            f"{path} has another row of {table.name} under {named} than {out}, which holds the "
            "ledgers before it: the two did not compute the same; measure one of the parts again "
            "into an empty ledger"
        )
