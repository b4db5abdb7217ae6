"""Registry of the formats of training data, each told by the keys of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from pytest_coderobust.errors import DataError, UnknownName
from pytest_coderobust.tasks.rows import DataRow
from pytest_coderobust.training.example import Passage, TrainingExample

ALPACA_TEMPLATE = "### Instruction:\n{prompt}\n\n### Response:\n"
"""The text around an instruction; the headings are those of Stanford Alpaca."""
INPUT_HEADING = "\n\n### Input:\n"
_ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class DataFormat:
    """A format of training data.

    Attributes:
        keys: a row that has all of them may be of this format.
        read: makes the example of a row and its id; raises DataError (`row.error`) where the
            row cannot be used.
        template: the text around a prompt of this format, with "{prompt}" in it.
    """

    name: str
    keys: frozenset[str]
    read: Callable[[DataRow, str], TrainingExample]
    template: str = "{prompt}"


def _read_alpaca(row: DataRow, name: str) -> TrainingExample:
    passages = [Passage(row.text("instruction"))]
    if context := row.optional_text("input"):
        # An input is data that the instruction speaks about, so it stays to the letter.
        passages.append(Passage(INPUT_HEADING + context, prose=False))
    return TrainingExample(name, tuple(passages), row.text("output"))


def _read_completion(row: DataRow, name: str) -> TrainingExample:
    if not isinstance(row.values.get("prompt"), list):
        return TrainingExample(name, (Passage(row.text("prompt")),), row.text("completion"))
    prompt, answer = _read_messages(row, "prompt"), _read_messages(row, "completion")
    if len(answer) != 1 or answer[0].role != "assistant":
        raise row.error("'completion' must be one message of the assistant")
    return TrainingExample(name, prompt, answer[0].text)


def _read_conversation(row: DataRow, name: str) -> TrainingExample:
    messages = _read_messages(row, "messages")
    turns = [place for place, each in enumerate(messages) if each.role == "assistant"]
    if not turns or not turns[-1]:
        raise row.error("'messages' must hold an answer of the assistant after a prompt")
    return TrainingExample(name, messages[: turns[-1]], messages[turns[-1]].text)


def _read_task(row: DataRow, name: str) -> TrainingExample:
    entry = row.optional_text("entry_point") or ""
    return TrainingExample(
        name, (Passage(row.text("prompt")),), row.text("canonical_solution"), entry
    )


def _read_messages(row: DataRow, key: str) -> tuple[Passage, ...]:
    """Reads a list of messages; only what a user said may be perturbed."""
    value = row.values.get(key)
    if not isinstance(value, list):
        raise row.error(f"{key!r} must be a list of messages")
    found: list[Passage] = []
    for number, message in enumerate(cast("list[object]", value), start=1):
        fields = cast("dict[str, object]", message) if isinstance(message, dict) else {}
        role, text = fields.get("role"), fields.get("content")
        if role not in _ROLES or not isinstance(text, str):
            raise row.error(
                f"message {number} of {key!r} must be an object with a 'role' "
                f"({', '.join(_ROLES)}) and a text 'content'"
            )
        found.append(Passage(text, str(role), prose=role == "user"))
    return tuple(found)


FORMATS: Mapping[str, DataFormat] = {
    each.name: each
    for each in (
        DataFormat("alpaca", frozenset({"instruction", "output"}), _read_alpaca, ALPACA_TEMPLATE),
        DataFormat("completion", frozenset({"prompt", "completion"}), _read_completion),
        DataFormat("messages", frozenset({"messages"}), _read_conversation),
        DataFormat("tasks", frozenset({"prompt", "canonical_solution"}), _read_task),
    )
}
"""Every format of training data by its name."""


def find_format(rows: tuple[DataRow, ...], asked: str | None, where: str) -> DataFormat:
    """Finds the one format that every row has the keys of.

    Args:
        asked: the format that the user names, which needs no look at the rows.
        where: the data's name, for messages.

    Raises:
        UnknownName: there is no format `asked`.
        DataError: the rows fit no format, several, or not all the same one.
    """
    if asked is not None:
        if asked not in FORMATS:
            raise UnknownName("format of training data", asked, FORMATS)
        return FORMATS[asked]
    fitting = [each for each in FORMATS.values() if each.keys <= rows[0].values.keys()]
    if not fitting:
        raise rows[0].error(
            "the row is of no known format; valid are "
            + ", ".join(
                f"{each.name} ({' + '.join(sorted(each.keys))})" for each in FORMATS.values()
            )
        )
    if len(fitting) > 1:
        names = " and ".join(each.name for each in fitting)
        raise DataError(
            f"{where}: its rows fit several formats ({names}); name the one that is meant with "
            "--format"
        )
    (found,) = fitting
    for row in rows:
        missing = sorted(found.keys - row.values.keys())
        if missing:
            raise row.error(
                f"the key {missing[0]!r} is missing, and {rows[0].where} is of the format "
                f"{found.name}; all rows must be of one format"
            )
    return found
