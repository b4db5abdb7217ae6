"""The output folder of a training: unfinished, with its plan and checkpoints, or finished."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from filelock import FileLock, Timeout

from pytest_coderobust.errors import UsageError
from pytest_coderobust.files import replace_file
from pytest_coderobust.models.folders import TRAINING_FILE, read_json

PLAN_FILE = "coderobust-plan.json"
WHOLE_FILE = "coderobust-whole.json"
"""The file that is written into a checkpoint last: one that lacks it is not whole."""
CHECKPOINTS = "checkpoints"
LOG_FILE = "training-log.jsonl"
LOCK_FILE = ".coderobust-lock"
_WRITING = ".writing"
_LAST = ("adapter_config.json", "config.json")
"""Files that make a folder a model; they arrive when all others have."""

TrainingPlan = Mapping[str, object]
"""All that decides the weights of a training, as JSON has it."""


@dataclass(frozen=True, slots=True)
class TrainingFolder:
    """The folder that a training writes."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / CHECKPOINTS

    @property
    def log(self) -> Path:
        """The file of the losses."""
        return self.path / LOG_FILE

    @contextmanager
    def refusing(self) -> Generator[None]:
        """Context in which a folder that cannot be written is the user's mistake."""
        try:
            yield
        except OSError as error:
            raise UsageError(
                f"--out {self.path}: cannot be written ({error.strerror or error})"
            ) from None

    def claim(self, until: ExitStack) -> None:
        """Keeps every other training out of the folder until the stack is left.

        Raises:
            UsageError: another one writes here, or the folder cannot be written.
        """
        self._refuse_file()
        with self.refusing():
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                until.enter_context(FileLock(self.path / LOCK_FILE, blocking=False))
            except Timeout:
                raise UsageError(
                    f"--out {self.path}: another training writes here now; wait for its end, or "
                    "name another folder"
                ) from None
        until.callback((self.path / LOCK_FILE).unlink, missing_ok=True)

    def is_finished(self, plan: TrainingPlan) -> bool:
        """Whether this very training ended here.

        Raises:
            UsageError: the folder holds another training, or something else.
        """
        self._refuse_file()
        facts = read_json(self.path / TRAINING_FILE)
        known = facts.get("plan") or read_json(self.path / PLAN_FILE)
        if known:
            self._compare(cast("dict[str, object]", known), plan)
        elif any(each.name != LOCK_FILE for each in self.path.glob("*")):
            raise UsageError(
                f"--out {self.path}: is not empty, and holds no training to go on with"
            )
        return bool(facts) and any((self.path / name).is_file() for name in _LAST)

    def begin(self, plan: TrainingPlan) -> None:
        """Writes the plan, by which a later run goes on."""
        with self.refusing():
            self.path.mkdir(parents=True, exist_ok=True)
            replace_file(self.path / PLAN_FILE, _write(plan))

    def find_whole(self) -> tuple[Path | None, tuple[str, ...]]:
        """Finds the newest whole checkpoint, deletes those that are not whole, and names them."""
        found = sorted(self.checkpoints.glob("checkpoint-*"), key=_read_step)
        whole = [each for each in found if (each / WHOLE_FILE).is_file()]
        broken = [each for each in found if each not in whole]
        for each in broken:
            shutil.rmtree(each)
        return (whole[-1] if whole else None), tuple(each.name for each in broken)

    def open_writing(self) -> Path:
        """Makes the empty folder that the model is written into."""
        folder = self.path / _WRITING
        shutil.rmtree(folder, ignore_errors=True)
        with self.refusing():
            folder.mkdir(parents=True)
        return folder

    def finish(self, facts: Mapping[str, object]) -> None:
        """Moves the written model to its place, says what it is, and clears what is left over."""
        writing = self.path / _WRITING
        with self.refusing():
            # With the last file the folder is a model, and must say by then how it is asked.
            replace_file(writing / TRAINING_FILE, _write(facts))
            share_mode(writing)
            for file in sorted(writing.iterdir(), key=lambda each: (each.name in _LAST, each.name)):
                file.replace(self.path / file.name)
        self.clear()

    def clear(self) -> None:
        """Deletes what only an unfinished training needs."""
        for name in (_WRITING, CHECKPOINTS):
            shutil.rmtree(self.path / name, ignore_errors=True)
        (self.path / PLAN_FILE).unlink(missing_ok=True)

    def _refuse_file(self) -> None:
        if self.path.is_file():
            raise UsageError(f"--out {self.path}: is a file; a training needs a folder")

    def _compare(self, known: Mapping[str, object], plan: TrainingPlan) -> None:
        for key in plan:
            if not _holds(known.get(key), plan[key]):
                what, old, new = _explain(key, known.get(key), plan[key])
                raise UsageError(
                    f"--out {self.path}: holds a training {what} ({old}, and not {new}); name "
                    "another folder, or delete this one"
                )


def share_mode(folder: Path) -> None:
    """Gives files the mode of a new one; safetensors writes them for their owner alone."""
    probe = folder / ".mode"
    probe.touch()
    mode = stat.S_IMODE(probe.stat().st_mode)
    probe.unlink()
    for file in folder.iterdir():
        if file.is_file():
            file.chmod(mode)


def mark_whole(checkpoint: Path) -> None:
    """Says that a checkpoint is whole."""
    replace_file(checkpoint / WHOLE_FILE, b"{}\n")


def _holds(known: object, wanted: object) -> bool:
    """Whether a part of a plan is as wanted; entries that no longer decide anything are ignored."""
    if not isinstance(known, dict) or not isinstance(wanted, dict):
        return known == wanted
    old = cast("dict[str, object]", known)
    return all(old.get(key) == each for key, each in cast("dict[str, object]", wanted).items())


def _explain(key: str, old: object, new: object) -> tuple[str, str, str]:
    """Says which part of two plans differs, with the values that do."""
    if key == "base":
        return "of another base", _name(old), _name(new)
    if key == "data":
        return "on other data", _name(old), _name(new)
    if isinstance(old, dict) and isinstance(new, dict):
        mine, other = cast("dict[str, object]", old), cast("dict[str, object]", new)
        for name in other:
            if mine.get(name) != other[name]:
                return f"with another {name}", repr(mine.get(name)), repr(other[name])
    return f"with another {key}", repr(old), repr(new)


def _name(value: object) -> str:
    """The name of a base or of data, with the beginning of its digest."""
    fields = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    return " ".join(str(fields.get(key, ""))[:80] for key in ("name", "digest"))[:100]


def _read_step(path: Path) -> int:
    step = path.name.rpartition("-")[2]
    return int(step) if step.isdecimal() else -1


def _write(facts: Mapping[str, object]) -> bytes:
    return (json.dumps(facts, indent=1, ensure_ascii=True) + "\n").encode("ascii")
