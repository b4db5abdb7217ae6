"""Arms of a study: what is done to the prompt, the model or the answer; read from text.

    none, note, example, codemod, EDITOR[:options], note+EDITOR
    placebo[:EDITOR], wrong-change[:EDITOR]         without one: of the first editor

An option `form=decision` of an editor says how its requests are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from pytest_coderobust.config.migration import FORMS
from pytest_coderobust.editors.registry import (
    EDITORS,
    EditorSpec,
    RequestForm,
    SavedSpec,
    parse_edit,
)
from pytest_coderobust.errors import UnknownName, UsageError, nearest
from pytest_coderobust.migration.study.result import ArmKind

Front = Literal["", "note", "example"]
Control = Literal["", "placebo", "wrong-change"]
FRONTS: tuple[Front, ...] = ("note", "example")
CONTROLS: tuple[Control, ...] = ("placebo", "wrong-change")
PLAIN = ("none", *FRONTS, "codemod", *CONTROLS)


@dataclass(frozen=True, slots=True)
class StudyArm:
    """One arm.

    Attributes:
        name: as the user wrote it.
        front: what stands in front of each prompt.
        spec: the editor, and `form` that of its requests.
        control: the edit is only a control of that editor.
        codemod: answers are rewritten for the changes.
    """

    name: str
    front: Front = ""
    spec: EditorSpec | None = None
    form: RequestForm = "solution"
    control: Control = ""
    codemod: bool = False

    @property
    def kind(self) -> ArmKind:
        if self.control:
            return "control"
        if self.spec is not None:
            return "editor"
        if self.codemod:
            return "codemod"
        return "prompt" if self.front else "none"

    @property
    def about(self) -> str:
        """One sentence for people."""
        fronts = {"": "", "note": "a note in the prompt", "example": "a note and a solved task"}
        if self.codemod:
            return "answers of the unedited model, rewritten for the changes without a model"
        if self.spec is None:
            front = fronts[self.front]
            return f"the unedited model, with {front} in front" if front else "the unedited model"
        edits = {
            "": f"edited by {self.spec.label}",
            "placebo": f"the edit of {self.spec.label}, rotated at random",
            "wrong-change": f"edited by {self.spec.label} towards another API's new name",
        }
        front = f", with {fronts[self.front]} in front" if self.front else ""
        return edits[self.control] + front


def split_arms(text: str) -> tuple[str, ...]:
    """Splits "none,lora:steps=40,lr=0.01,rome" into arms; options stay with their editor."""
    found: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        is_option = "=" in part and ":" not in part.partition("=")[0]
        if is_option and found:
            found[-1] += f",{part}"
        elif part:
            found.append(part)
    return tuple(found)


def read_arms(texts: Sequence[str], form: str, where: str) -> tuple[StudyArm, ...]:
    """Reads the arms of a study; "none" comes first, named or not.

    Args:
        form: of requests where an arm names none; "auto" is each editor's own.
        where: starts every message ("--arms").

    Raises:
        UsageError: no such arm, editor or option, or a control without its editor.
    """
    arms = [read_arm(text, form, where) for text in dict.fromkeys(("none", *texts))]
    return tuple(find_controlled(arm, arms, where) for arm in arms)


def read_arm(text: str, form: str, where: str) -> StudyArm:
    """Reads one arm; a control without an editor gets its own later."""
    front, plus, rest = text.partition("+")
    if plus and front in FRONTS:
        edited = read_arm(rest, form, where)
        if edited.spec is None or edited.front:
            raise UsageError(f"{where} {text}: what comes after {front}+ must be an editor")
        return replace(edited, name=text, front=front)
    name, _, options = text.partition(":")
    if name in CONTROLS:
        spec, chosen = read_editor(options, form, f"{where} {text}") if options else (None, form)
        return StudyArm(text, spec=spec, form=cast("RequestForm", chosen), control=name)
    if name in PLAIN:
        if options:
            raise UsageError(f"{where} {text}: {name!r} takes no options")
        return StudyArm(text, front=name if name in FRONTS else "", codemod=name == "codemod")
    spec, chosen = read_editor(text, form, where)
    return StudyArm(text, spec=spec, form=chosen)


def read_editor(text: str, form: str, where: str) -> tuple[EditorSpec, RequestForm]:
    """Reads an editor with its options, and the form of its requests."""
    name, colon, rest = text.partition(":")
    if name not in EDITORS:
        raise UnknownName("arm", name, (*PLAIN, *EDITORS), f"{where}: ")
    parts = [part.strip() for part in rest.split(",") if part.strip()]
    own = [part for part in parts if not part.startswith("form=")]
    for part in parts:
        form = part.removeprefix("form=") if part.startswith("form=") else form
    spec = parse_edit(f"{name}:{','.join(own)}" if own else name)
    assert not isinstance(spec, SavedSpec)
    return spec, choose_form(name, form, f"{where} {text}" if colon else f"{where} {name}")


def choose_form(name: str, form: str, where: str) -> RequestForm:
    """Chooses the form of an editor's requests.

    Raises:
        UsageError: it follows no target, or cannot do what is asked.
    """
    forms = EDITORS[name].forms
    if not forms or EDITORS[name].takes != "prompt":
        raise UsageError(f"{where}: {name!r} follows no target, so it cannot be taught a new name")
    if form == "auto":
        return forms[0]
    if form not in FORMS:
        raise UsageError(f"{where}: form = {form!r} is not a valid form{nearest(form, forms)}")
    if form not in forms:
        raise UsageError(
            f"{where}: {name!r} cannot learn from requests of the form {form!r}, because it acts "
            f"while a prompt is read; it takes {' or '.join(map(repr, forms))}"
        )
    return form


def find_controlled(arm: StudyArm, arms: Iterable[StudyArm], where: str) -> StudyArm:
    """Gives a control the first editor of the study where it names none.

    Raises:
        UsageError: there is no editor.
    """
    if not arm.control or arm.spec is not None:
        return arm
    first = next((each for each in arms if each.kind == "editor"), None)
    if first is None:
        raise UsageError(
            f"{where} {arm.name}: is the control of an editor, and the study has none; name one, "
            f"as in '{arm.name}:lora'"
        )
    return replace(arm, spec=first.spec, form=first.form)
