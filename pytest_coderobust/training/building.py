"""Builds sets of training data: one JSONL file a set, and a manifest that says what is in them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from pytest_coderobust.config.rewriters import RewriterSpec
from pytest_coderobust.errors import DataError
from pytest_coderobust.files import replace_file
from pytest_coderobust.training.example import TrainingExample
from pytest_coderobust.training.manifest import MANIFEST, MANIFEST_FORMAT
from pytest_coderobust.training.perturbing import ExamplePerturber, PerturbedExample
from pytest_coderobust.training.sets import CLEAN_SET, TrainingSet, choose_rows
from pytest_coderobust.training.source import TrainingData

Progress = Callable[[str], None]
"""Hears the name of each set when it is written."""


@dataclass(frozen=True, slots=True)
class BuiltSet:
    """A set as it was written.

    Attributes:
        perturbed: the number of rows whose prompt differs from the clean one.
        skipped: the number of rows that were to be perturbed and stayed clean, by reason.
        members: the number of perturbed rows by the member that an aggregate drew.
        sha256: of the file's bytes.
    """

    perturbation: str
    share: str
    repeat: int
    size: str
    rows: int
    perturbed: int
    skipped: Mapping[str, int]
    members: Mapping[str, int]
    sha256: str


@dataclass(slots=True)
class SetBuilder:
    """Builds the sets of one source.

    Attributes:
        facts: more entries of the manifest, such as the suites that rows were compared with.
    """

    data: TrainingData
    perturber: ExamplePerturber
    seed: int
    rewriters: Mapping[str, RewriterSpec] = field(default_factory=dict[str, RewriterSpec])
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    _known: dict[tuple[str, int], tuple[PerturbedExample, ...]] = field(
        default_factory=dict[tuple[str, int], tuple[PerturbedExample, ...]]
    )

    def build(
        self, sets: Sequence[TrainingSet], folder: Path, progress: Progress = lambda _: None
    ) -> Mapping[str, BuiltSet]:
        """Writes the sets and, last, the manifest; the same bytes for the same seed.

        Raises:
            DataError: a file cannot be written, or a prompt cannot be read.
            ModelError: a rewriter cannot be run.
        """
        missing = [each.name for each in sets if not self.perturber.can_make(each.perturbation)]
        built: dict[str, BuiltSet] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / MANIFEST).unlink(missing_ok=True)  # until the last set is there
            for each in sets:
                if each.name not in missing:
                    built[each.name] = self._write(each, folder)
                    progress(each.name)
            manifest = json.dumps(self._describe(built, missing), indent=1, ensure_ascii=True)
            replace_file(folder / MANIFEST, f"{manifest}\n".encode("ascii"))
        except OSError as error:
            raise DataError(f"{folder}: cannot be written: {error.strerror}") from None
        return built

    def make_rows(self, chosen: TrainingSet) -> Iterator[tuple[TrainingExample, dict[str, object]]]:
        """Makes the rows of a set, each with the example that it comes from."""
        examples = self.data.examples
        ids = [example.id for example in examples]
        for row in choose_rows(chosen, ids, self.seed):
            example = examples[row.place]
            made = None
            if row.perturbed:
                made = self._perturbed(chosen.perturbation, self.seed + row.copy)[row.place]
            name = f"{example.id}#{row.copy + 1}" if row.copy else example.id
            yield example, write_row(example, name, chosen.perturbation, made)

    def _write(self, chosen: TrainingSet, folder: Path) -> BuiltSet:
        skipped: Counter[str] = Counter()
        members: Counter[str] = Counter()
        lines: list[bytes] = []
        for _, row in self.make_rows(chosen):
            lines.append(json.dumps(row, ensure_ascii=True).encode("ascii") + b"\n")
            if row["skipped"]:
                skipped[str(row["skipped"])] += 1
            elif row["perturbation"] != CLEAN_SET:
                members[str(row["member"] or row["perturbation"])] += 1
        data = b"".join(lines)
        replace_file(folder / f"{chosen.name}.jsonl", data)
        return BuiltSet(
            perturbation=chosen.perturbation or CLEAN_SET,
            share=str(chosen.share if chosen.perturbation else 0),
            repeat=chosen.repeat,
            size=str(chosen.size),
            rows=len(lines),
            perturbed=sum(members.values()),
            skipped=dict(sorted(skipped.items())),
            members=dict(sorted(members.items())),
            sha256=hashlib.sha256(data).hexdigest(),
        )

    def _perturbed(self, perturbation: str, seed: int) -> tuple[PerturbedExample, ...]:
        """Every row of the data under a perturbation; aggregates serve several sets."""
        key = (perturbation, seed)
        if key not in self._known:
            for old in [known for known in self._known if known[0] != perturbation]:
                del self._known[old]  # sets of one perturbation follow one another
            found = self.perturber.perturb_all(self.data.examples, perturbation, seed)
            self._known[key] = tuple(found)
        return self._known[key]

    def _describe(self, built: Mapping[str, BuiltSet], missing: Sequence[str]) -> object:
        data = self.data
        return {
            "format": MANIFEST_FORMAT,
            "version": version("pytest-coderobust"),
            "source": {
                "name": data.name,
                "format": data.format.name,
                "sha256": data.digest,
                "rows": len(data.examples),
                "left_out": dict(data.left_out),
            },
            "template": data.format.template,
            "seed": self.seed,
            "rewriters": {name: spec.text for name, spec in self.rewriters.items()},
            **self.facts,
            "missing": list(missing),
            "sets": {name: asdict(each) for name, each in built.items()},
        }


def write_row(
    example: TrainingExample, name: str, perturbation: str, made: PerturbedExample | None
) -> dict[str, object]:
    """Writes the row of an example.

    Args:
        made: its perturbed prompt; None for a row that is to stay clean.
    """
    texts = example.texts if made is None else made.texts
    drawn = made is not None and not made.skipped
    return {
        "id": name,
        "prompt": example.write_prompt(texts),
        "completion": example.write_completion(),
        "perturbation": perturbation if drawn else CLEAN_SET,
        "member": made.member if made is not None and drawn else "",
        "edits": list(_write_edits(example, made)) if made is not None else [],
        "skipped": made.skipped if made is not None else "",
    }


def _write_edits(example: TrainingExample, made: PerturbedExample) -> Iterator[dict[str, object]]:
    """Writes edits as offsets into the clean prompt, or into the message that they change."""
    offset = 0
    for number, (passage, edits) in enumerate(zip(example.passages, made.edits, strict=True)):
        for edit in edits:
            place: dict[str, object] = {"message": number} if example.is_chat else {}
            shift = 0 if example.is_chat else offset
            yield {
                **place,
                "start": edit.start + shift,
                "stop": edit.stop + shift,
                "replacement": edit.replacement,
                "kind": edit.kind,
            }
        offset += len(passage.text)
