"""Registry of editors, one row each, and the specifications that `--edit` reads into.

Nothing here imports torch; an editor's own module is imported when the editor is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Literal, cast

from pytest_coderobust.editors import multilayer_options, trained_options
from pytest_coderobust.editors import options as kinds
from pytest_coderobust.editors.options import Options, changed_options, make_options
from pytest_coderobust.editors.protocol import Editor
from pytest_coderobust.editors.training_cases import give_cases
from pytest_coderobust.errors import UnknownName, UsageError
from pytest_coderobust.extensions import read_rows
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.records import digest

RequestForm = Literal["solution", "own", "decision"]
"""Forms of a request to follow a changed API: the whole solution, the model's own answer rewritten,
or the one decision for the new name."""

_AT_LOOKUP: tuple[RequestForm, ...] = ("decision", "solution", "own")
"""Methods that write at one token learn the decision best: every call shares its place."""


@dataclass(frozen=True, slots=True)
class EditorEntry:
    """One editor's row in the registry.

    Attributes:
        code: "module:Class"; the class is made with the options alone.
        options: the frozen dataclass of its options; or "module:Class", which is imported when the
            editor is asked for, so that one file can hold both classes and import torch.
        version: changes whenever the same request might become another change; part of edited
            identities.
        saved: "module:function" that makes a saved change again from its tensors and facts. Only
            for a change of a kind that `saved_edits.KINDS` lacks.
        forms: in which a study of API migration may ask it, the default first; none for a method
            that follows no target.
        takes: what it edits by: the perturbed "prompt" with its answer, the "pair" of clean and
            perturbed prompt, or "nothing" of a request.
    """

    code: str
    options: type[Options] | str
    version: int = 1
    saved: str = ""
    forms: tuple[RequestForm, ...] = ("solution", "own", "decision")
    takes: Literal["prompt", "pair", "nothing"] = "prompt"

    @property
    def options_class(self) -> type[Options]:
        """The dataclass of the options."""
        if isinstance(self.options, str):
            return cast("type[Options]", resolve_name(self.options))
        return self.options


_OWN: Mapping[str, EditorEntry] = {
    "creme": EditorEntry(
        # 2: a request whose layers restore nothing is refused. 3: kept facts name the request of
        # each trace.
        "pytest_coderobust.editors.creme:Creme",
        kinds.CremeOptions,
        version=3,
        forms=(),
        takes="pair",
    ),
    "rome": EditorEntry("pytest_coderobust.editors.rome:Rome", kinds.RomeOptions, forms=_AT_LOOKUP),
    "memit": EditorEntry(
        "pytest_coderobust.editors.memit:Memit", multilayer_options.MemitOptions, forms=_AT_LOOKUP
    ),
    "pmet": EditorEntry(
        "pytest_coderobust.editors.memit:Pmet", multilayer_options.PmetOptions, forms=_AT_LOOKUP
    ),
    "ft": EditorEntry(
        "pytest_coderobust.editors.finetuning:ConstrainedFineTuning", kinds.FinetuningOptions
    ),
    "grace": EditorEntry(
        # It looks its key up while a prompt is read, and a decision is made while it writes.
        "pytest_coderobust.editors.grace:Grace",
        kinds.GraceOptions,
        forms=("solution", "own"),
    ),
    "malmen": EditorEntry(
        # 2: trained on the ids that it edits with, under SentencePiece too.
        "pytest_coderobust.editors.malmen:Malmen",
        trained_options.MalmenOptions,
        version=2,
    ),
    "a-grace": EditorEntry(
        # Forms as GRACE. 2: no prompt that calibrates is in the training.
        "pytest_coderobust.editors.a_grace:AGrace",
        trained_options.AGraceOptions,
        version=2,
        forms=("solution", "own"),
    ),
    "dinm": EditorEntry("pytest_coderobust.editors.dinm:Dinm", kinds.DinmOptions),
    "lora": EditorEntry("pytest_coderobust.editors.lora:Lora", kinds.LoraOptions),
    "denoise": EditorEntry(
        "pytest_coderobust.editors.denoising:SelfDenoising",
        kinds.DenoisingOptions,
        forms=(),
        takes="nothing",
    ),
}

EDITORS = read_rows("coderobust.editors", EditorEntry, _OWN)
"""Every editor by name: ours, then those of installed packages."""

EDIT_FILE = "edit.json"
"""File that makes a folder a saved edit."""


@dataclass(frozen=True, slots=True)
class EditorSpec:
    """Editor that was asked for, with validated options; not yet imported.

    Attributes:
        training: cases for an editor that learns from some; None leaves it to its option `train`.
    """

    name: str
    options: Options
    training: CaseSet | None = None

    @property
    def label(self) -> str:
        """Text as a user writes it, without defaults: "rome:layer=5,lr=0.5"."""
        changed = changed_options(self.options)
        shown = ",".join(f"{key}={_show(value)}" for key, value in changed.items())
        return f"{self.name}:{shown}" if shown else self.name

    @property
    def digest(self) -> str:
        row = EDITORS[self.name]
        # Two packages may have used one name, one after the other, for editors of their own.
        foreign = () if self.name in _OWN else (row.code,)
        # The files that an option names are part of the edit, not only their folder's name.
        outside = getattr(self.options, "outside", None)
        more = foreign if outside is None else (*foreign, outside)
        if self.training is not None:
            more = (*more, self.training.digest)
        return digest("editor", self.name, row.version, asdict(self.options), *more)


@dataclass(frozen=True, slots=True)
class SavedSpec:
    """Saved edit that was asked for by its folder."""

    folder: Path

    @property
    def label(self) -> str:
        return self.folder.name


def parse_edit(text: str) -> EditorSpec | SavedSpec:
    """Reads one `--edit`.

    Args:
        text: "creme", "rome:layer=5,lr=0.5", or the folder of a saved edit.

    Raises:
        UnknownName: no editor and no folder is called that; the message offers the nearest.
        UsageError: the folder holds no edit.
        ConfigError: an option is unknown, or its value impossible.
    """
    name, _, rest = text.partition(":")
    if name in EDITORS:
        return make_spec(name, _read_pairs(rest, text), f"--edit {text}")
    folder = Path(text).expanduser()
    if (folder / EDIT_FILE).is_file():
        return SavedSpec(folder)
    if text.startswith(("/", "./", "../", "~")) or folder.is_dir():
        raise UsageError(f"--edit {text}: the folder holds no saved edit ({EDIT_FILE} is missing)")
    raise UnknownName("editor", name, (*EDITORS, "./FOLDER"))


def make_spec(name: str, values: Mapping[str, object], where: str) -> EditorSpec:
    """Makes the specification of an editor with its options, as texts or typed values.

    Raises:
        UnknownName, ConfigError: as `parse_edit`.
    """
    if name not in EDITORS:
        raise UnknownName("editor", name, EDITORS, f"{where}: ")
    return EditorSpec(name, make_options(EDITORS[name].options_class, dict(values), where))


def open_editor(spec: EditorSpec) -> Editor:
    """Imports and makes the editor of a spec, which imports torch.

    Raises:
        MissingExtra: it needs a package that is not installed.
    """
    editor = cast("Editor", resolve_name(EDITORS[spec.name].code)(spec.options))
    return give_cases(editor, spec.training)


def _read_pairs(text: str, whole: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            raise UsageError(f"--edit {whole}: {part!r} is not a valid option; write NAME=VALUE")
        if key.strip() in found:
            raise UsageError(f"--edit {whole}: {key.strip()!r} is given twice")
        found[key.strip()] = value.strip()
    return found


def _show(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
