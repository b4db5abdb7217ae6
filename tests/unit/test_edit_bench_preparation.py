"""Work that is the model's and no edit's: done once, before edits are measured, and apart."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from support.editors_contract import OTHER, QUICK, REQUEST, model_of
from support.models_architectures import save_architecture
from support.models_checkpoints import backend

from pytest_coderobust.edit_bench.measuring import CaseMeter
from pytest_coderobust.edit_bench.memory import AskSettings, BenchMemory
from pytest_coderobust.editors import computing, covariance_cache, malmen
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.computing import compute_change
from pytest_coderobust.editors.memory import ResourceUse
from pytest_coderobust.editors.registry import EditorSpec, open_editor, parse_edit
from pytest_coderobust.editors.training_cases import is_prepared
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records.knowledge import KnowledgeCase

pytestmark = pytest.mark.usefixtures("one_thread", "own_cache")


def make_cases(name: str, count: int) -> tuple[KnowledgeCase, ...]:
    return tuple(
        KnowledgeCase(
            f"{name}{n}",
            f"def {name}{n}():",
            f"return {n}",
            (f"def {name}{n}( ):",),
            (f"{name}{n} = 1\n",),
        )
        for n in range(count)
    )


def spec_of(name: str) -> EditorSpec:
    found = parse_edit(QUICK[name])
    assert isinstance(found, EditorSpec)
    training = CaseSet("t", make_cases("t", 24)) if name in ("malmen", "a-grace") else None
    return EditorSpec(found.name, found.options, training)


class Watch:
    """Counts calls of what is to happen once, and those within the measurement of an edit."""

    def __init__(self) -> None:
        self.calls = self.measured = self.edits = 0
        self.inside = False

    def wrap(self, work: Any) -> Any:
        def watched(*values: Any, **named: Any) -> Any:
            self.calls += 1
            self.measured += self.inside
            return work(*values, **named)

        return watched

    @contextmanager
    def resource_use(self, _: torch.device) -> Generator[ResourceUse]:
        self.edits, self.inside = self.edits + 1, True
        yield ResourceUse(1.0, 1)
        self.inside = False


@pytest.mark.parametrize(
    ("name", "module", "work"),
    [
        ("memit", covariance_cache, "measure_covariances"),
        ("pmet", covariance_cache, "corpus_digest"),
        ("malmen", malmen, "stock_network"),
    ],
)
def test_what_is_the_models_is_in_no_edits_cost(
    name: str, module: Any, work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    net = backend(save_architecture(tmp_path / "net", "llama", max_position_embeddings=512))
    watch = Watch()
    monkeypatch.setattr(module, work, watch.wrap(getattr(module, work)))
    monkeypatch.setattr(computing, "resource_use", watch.resource_use)
    ledger = Ledger(tmp_path / "l.sqlite")
    memory = BenchMemory(net, ledger, AskSettings())
    cases, spec = make_cases("c", 3), spec_of(name)
    meter = CaseMeter(net, memory)
    meter.measure_control(cases, lambda _: None)
    assert len(list(meter.measure_editor(spec, cases[:2]))) == 2
    assert (watch.calls, watch.measured, watch.edits) == (1, 0, 2)
    told = memory.read_training(spec)
    assert told["trained" if name == "malmen" else "prepared"] > 0  # type: ignore[operator]
    assert len(list(meter.measure_editor(spec, cases))) == 1  # goes on, and reads what was kept
    assert memory.read_training(spec) == told
    ledger.close()


@pytest.mark.parametrize("name", ["memit", "pmet", "malmen", "a-grace"])
def test_a_prepared_editor_makes_the_same_edits_to_the_bit(name: str, tmp_path: Path) -> None:
    access = Access(model_of("llama", tmp_path))
    spec = spec_of(name)
    held = open_editor(spec)
    assert is_prepared(held)
    fresh = [compute_change(access, spec, [each], None)[0].tensors() for each in (REQUEST, OTHER)]
    with access.frozen_weights():
        held.prepare(access)
    for request, expected in zip((REQUEST, OTHER), fresh, strict=True):
        found = compute_change(access, spec, [request], None, editor=held)[0].tensors()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[each], expected[each]) for each in found)


def test_a_held_editor_measures_anew_for_another_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch()
    monkeypatch.setattr(
        covariance_cache, "corpus_digest", watch.wrap(covariance_cache.corpus_digest)
    )
    spec = spec_of("memit")
    held = open_editor(spec)
    for name, calls in (("llama", 1), ("llama", 1), ("qwen2", 2)):
        compute_change(Access(model_of(name, tmp_path)), spec, [REQUEST], None, editor=held)
        assert watch.calls == calls
