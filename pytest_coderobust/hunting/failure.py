"""A minimal failure: the prompt that breaks a model, all that is known about it, and its JSON form.

docs/hunt.md describes the document. Documents of another version of the schema are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from coderobust_strategies import Edit, apply_edits
from pytest_coderobust.errors import DataError
from pytest_coderobust.records import Completion, Level, ModelIdentity, Sampling, Verdict, digest
from pytest_coderobust.records.codec import decode, encode

SCHEMA = 1
"""Raised when a key changes its meaning or goes; new keys do not raise it."""

State = Literal["broken", "fixed"]


@dataclass(frozen=True, slots=True)
class ShownPrompt:
    """A prompt with its completions and their verdicts, in sample order.

    Attributes:
        left_out: what of a completion's program was not judged, by sample, of those that fail.
    """

    prompt: str
    completions: tuple[Completion, ...]
    verdicts: tuple[Verdict, ...]
    left_out: Mapping[int, str] = field(default_factory=dict[int, str])

    @property
    def passing(self) -> int:
        """Samples that pass every test."""
        return sum(verdict.full for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Votes:
    """The number of draws in which a prompt failed, of those with fresh noise."""

    failed: int
    of: int


@dataclass(frozen=True, slots=True)
class HuntCost:
    """The cost of finding and minimising a failure: completions asked, and batches."""

    completions: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """The smallest breaking prompt of one task.

    Attributes:
        suite: the suite's name in a session: its file from the root, or a data set's name.
        model: the model it was found on, or the one that was asked last.
        perturbation: the perturbations that were searched ("mix_all"); `member` and `seed` name
            the variant that failed first, or are "" and 0 when a user's own test drew it.
        edits: the edits that turn the clean prompt into the broken one, in order.
        first_edits: the edits of the variant that failed first.
        minimal: every single edit was taken back once, and the task was solved each time.
        votes: repeated confirmation; 1 of 1 under greedy decoding.
        state: "fixed" after a replay in which the task was solved.
        reproduce: the command that shows it again.
        report: Hypothesis' own report of the verified minimum, or "".
    """

    suite: str
    task_id: str
    entry_point: str
    model: ModelIdentity
    sampling: Sampling
    perturbation: str
    member: str
    seed: int
    edits: tuple[Edit, ...]
    first_edits: tuple[Edit, ...]
    clean: ShownPrompt
    broken: ShownPrompt
    minimal: bool
    votes: Votes
    spent: HuntCost = HuntCost()
    state: State = "broken"
    reproduce: str = ""
    report: str = ""

    @property
    def id(self) -> str:
        """The file's name: equal for the same suite, task and prompt, whatever the model."""
        slug = re.sub(r"[^A-Za-z0-9]+", "-", self.task_id).strip("-")[:40] or "task"
        return f"{slug}-{digest('failure', self.suite, self.task_id, self.broken.prompt)[:12]}"


def to_json(failure: Failure) -> str:
    """Writes the failure as a JSON document: pure ASCII, equal bytes for equal failures."""
    document: dict[str, object] = {
        "schema": SCHEMA,
        "id": failure.id,
        "state": failure.state,
        "suite": failure.suite,
        "task": failure.task_id,
        "entry_point": failure.entry_point,
        "model": {
            "name": failure.model.name,
            "fingerprint": failure.model.digest,
            "facts": dict(failure.model.facts),
        },
        "sampling": encode(failure.sampling),
        "perturbation": failure.perturbation,
        "member": failure.member,
        "seed": failure.seed,
        "edits": [_edit(edit, failure.clean.prompt) for edit in failure.edits],
        "first_edits": [_edit(edit, failure.clean.prompt) for edit in failure.first_edits],
        "minimal": failure.minimal,
        "votes": encode(failure.votes),
        "spent": encode(failure.spent),
        "clean": _shown(failure.clean),
        "broken": _shown(failure.broken),
        "reproduce": failure.reproduce,
        "report": failure.report,
    }
    return json.dumps(document, ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def from_json(text: str, where: str) -> Failure:
    """Reads the failure that a JSON document describes.

    Raises:
        DataError: the text is not such a document, has another schema, or its edits do not make
            its prompt.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DataError(f"{where}: not valid JSON: {error}") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise DataError(f"{where}: schema {schema!r}; this version reads schema {SCHEMA}")
    try:
        failure = _failure(document)
        made = apply_edits(failure.clean.prompt, failure.edits)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{where}: not a valid record of a failure: {error!r}") from None
    if made != failure.broken.prompt:
        raise DataError(f"{where}: its edits do not turn its clean prompt into its broken one")
    return failure


def mark_fixed(failure: Failure, model: ModelIdentity) -> Failure:
    """Marks a failure as fixed, after a replay in which `model` solved the task."""
    return replace(failure, state="fixed", model=model)


def _edit(edit: Edit, clean: str) -> dict[str, object]:
    original = clean[edit.start : edit.stop]
    return {
        "start": edit.start,
        "stop": edit.stop,
        "original": original,
        "replacement": edit.replacement,
        "kind": edit.kind,
    }


def _shown(shown: ShownPrompt) -> dict[str, object]:
    samples = [
        {
            "text": completion.text,
            "finish": completion.finish,
            "tokens": completion.tokens,
            "level": verdict.level.value,
            "passed": verdict.passed,
            "total": verdict.total,
            "failure": verdict.failure,
            "detail": verdict.detail,
            "tier": verdict.tier,
            **_encode_known(completion, shown.left_out.get(sample, "")),
        }
        for sample, (completion, verdict) in enumerate(
            zip(shown.completions, shown.verdicts, strict=True)
        )
    ]
    return {"prompt": shown.prompt, "samples": samples}


def _encode_known(completion: Completion, left_out: str) -> dict[str, object]:
    """Encodes what few completions have: a thought, statements that were not judged."""
    found: dict[str, object] = {
        "thought_tokens": completion.thought_tokens,
        "opened": completion.opened,
        "left_out": left_out,
    }
    return {name: value for name, value in found.items() if value}


def _failure(document: Mapping[str, Any]) -> Failure:
    model = document["model"]
    return Failure(
        suite=str(document["suite"]),
        task_id=str(document["task"]),
        entry_point=str(document["entry_point"]),
        model=ModelIdentity(str(model["name"]), str(model["fingerprint"]), dict(model["facts"])),
        sampling=decode(Sampling, document["sampling"]),
        perturbation=str(document["perturbation"]),
        member=str(document["member"]),
        seed=int(document["seed"]),
        edits=_read_edits(document["edits"]),
        first_edits=_read_edits(document["first_edits"]),
        clean=_read_shown(document["clean"]),
        broken=_read_shown(document["broken"]),
        minimal=bool(document["minimal"]),
        votes=decode(Votes, document["votes"]),
        spent=decode(HuntCost, document["spent"]),
        state="fixed" if document["state"] == "fixed" else "broken",
        reproduce=str(document["reproduce"]),
        report=str(document["report"]),
    )


def _read_edits(edits: list[Mapping[str, Any]]) -> tuple[Edit, ...]:
    return tuple(
        Edit(int(each["start"]), int(each["stop"]), str(each["replacement"]), str(each["kind"]))
        for each in edits
    )


def _read_shown(shown: Mapping[str, Any]) -> ShownPrompt:
    samples = shown["samples"]
    return ShownPrompt(
        prompt=str(shown["prompt"]),
        completions=tuple(
            Completion(
                str(each["text"]),
                each["finish"],
                int(each["tokens"]),
                int(each.get("thought_tokens", 0)),
                str(each.get("opened", "")),
            )
            for each in samples
        ),
        verdicts=tuple(
            Verdict(
                Level(each["level"]),
                int(each["passed"]),
                int(each["total"]),
                each["failure"],
                str(each["detail"]),
                str(each["tier"]),
            )
            for each in samples
        ),
        left_out={
            at: str(each["left_out"]) for at, each in enumerate(samples) if each.get("left_out")
        },
    )
