"""The causal intervention: what is patched where, what follows from it, and its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from support.editors_contract import OTHER, PERTURBED, REQUEST, model_of
from support.models_architectures import ARCHITECTURES
from support.models_checkpoints import PROMPT, TASK

from pytest_coderobust.editors import localisation
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.alignment import align
from pytest_coderobust.editors.edited_model import edited
from pytest_coderobust.editors.localisation import LayerEffect, Patched, Sweep, Trace
from pytest_coderobust.editors.options import CremeOptions
from pytest_coderobust.editors.protocol import EditRequest
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.errors import EditRefused, ModelError
from pytest_coderobust.models.completion_text import Prompt
from pytest_coderobust.models.decoding import generate_by_transformers
from pytest_coderobust.records import Sampling, Task
from pytest_coderobust.reporting.terminal.profile import draw_picture, render_bars

pytestmark = pytest.mark.usefixtures("one_thread")

GREEDY = CremeOptions(temperature=0.0, sweep_tokens=6)
# The last word of the prose by letters that are a token each, before and after.
UNKNOWN, UNKNOWN_TOO = (PROMPT.replace("it.", letters) for letters in ("%&;", "$^!"))
SAME_LENGTH = replace(REQUEST, clean=UNKNOWN, perturbed=UNKNOWN_TOO)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("localisation")


class TestAlignment:
    def test_equal_tokens_pair_up_around_an_insertion(self) -> None:
        assert align((1, 2, 3), (1, 9, 9, 2, 3), "tokens") == ((0, 0), (3, 1), (4, 2))

    def test_a_replaced_run_pairs_its_last_tokens(self) -> None:
        assert align((1, 5, 6, 2), (1, 7, 2), "tokens") == ((0, 0), (1, 2), (2, 3))

    def test_right_ends(self) -> None:
        for how in ("right", "paper"):
            assert align((1, 2, 3), (8, 9), how) == ((0, 1), (1, 2))  # type: ignore[arg-type]

    def test_a_prompt_with_itself(self) -> None:
        assert align((4, 5), (4, 5), "tokens") == ((0, 0), (1, 1))


class TestSweep:
    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_the_whole_prompt_patched_is_the_clean_prompt(
        self, architecture: str, root: Path
    ) -> None:
        """Equal lengths, every place patched: the last scores are the clean prompt's, bit for bit."""
        access = Access(model_of(architecture, root))
        ids = [access.encode(SAME_LENGTH, text) for text in (UNKNOWN, UNKNOWN_TOO)]
        assert len(ids[0]) == len(ids[1])
        sweep = Sweep(access, SAME_LENGTH, replace(GREEDY, align="right"))
        batch = access.batch([ids[0], *[ids[1]] * 3])
        with torch.no_grad():
            before = access.logits(batch)
            with sweep.patches([0, 1, 2]):
                after = access.logits(batch)
        assert not torch.equal(before[1, -1], before[0, -1])
        for row in (1, 2, 3):
            assert torch.equal(after[row, -1], after[0, -1])
        assert torch.equal(after[0], before[0]), "the source itself is not touched"

    @pytest.mark.parametrize("architecture", ["llama", "codegen", "gpt-bigcode", "gpt2"])
    @pytest.mark.parametrize("how", ["tokens", "right", "paper"])
    def test_layers_in_one_batch_answer_as_alone(
        self, architecture: str, how: Any, root: Path
    ) -> None:
        access = Access(model_of(architecture, root))
        sweep = Sweep(access, REQUEST, replace(GREEDY, align=how))
        rows = [Patched(layer, 0) for layer in (None, 0, 1, 2)]
        with access.frozen_weights():
            together = sweep.run(rows)
            assert together == [sweep.run([each])[0] for each in rows]
            assert together[0] == sweep.plain(PERTURBED, [0])[0], "no patch is the model itself"

    @pytest.mark.parametrize("how", ["tokens", "paper"])
    def test_it_writes_what_the_released_procedure_writes(self, how: Any, root: Path) -> None:
        """A batch per layer, the clean prompt first, every row read whole by transformers."""
        model = model_of("llama", root)
        access = Access(model)
        options = CremeOptions(temperature=0.7, sweep_tokens=10, align=how)
        sweep = Sweep(access, REQUEST, options)
        sampling = Sampling(temperature=0.7, top_p=options.top_p, max_new_tokens=10)
        clean, perturbed = (tuple(access.encode(REQUEST, text)) for text in (PROMPT, PERTURBED))
        expected: list[str] = []
        for layer in range(3):
            rows = [Prompt(clean, 0), *(Prompt(perturbed, noise) for noise in range(4))]
            with sweep.patches([layer] * 4), access.model_threads():
                expected += [
                    each.text
                    for each in generate_by_transformers(access.loaded, rows, sampling, 10)[1:]
                ]
        with access.frozen_weights():
            found = sweep.run([Patched(layer, noise) for layer in range(3) for noise in range(4)])
        assert found == expected
        assert len(set(found)) > 4

    def test_a_layer_patched_all_over_answers_as_the_clean_prompt_starts(self, root: Path) -> None:
        access = Access(model_of("llama", root))
        sweep = Sweep(access, SAME_LENGTH, replace(GREEDY, align="right", sweep_tokens=1))
        with access.frozen_weights():
            patched = sweep.run([Patched(layer, 0) for layer in range(3)])
            assert set(patched) == set(sweep.plain(UNKNOWN, [0]))


class TestKeyLayer:
    def test_improvement(self) -> None:
        assert localisation.improvement(0.6, clean=0.9, perturbed=0.3) == pytest.approx(0.5)
        assert localisation.improvement(0.1, clean=0.9, perturbed=0.3) == 0.0
        assert localisation.improvement(1.0, clean=0.3, perturbed=0.3) == 0.0

    def test_most_improvement_then_distance(self) -> None:
        effects = [LayerEffect(0.5, 0.5, 1.0), LayerEffect(0.5, 0.5, 3.0), LayerEffect(0.1, 0, 9.0)]
        assert localisation.key_layer(effects) == 1

    def test_without_improvement_there_is_none(self, root: Path) -> None:
        effects = [LayerEffect(0.1, 0, 5.0), LayerEffect(0.2, 0, 1.0), LayerEffect(0.2, 0, 2.0)]
        assert localisation.key_layer(effects) is None
        calls: list[int] = []

        def judge(_task: Task, texts: Sequence[str]) -> list[bool]:
            calls.append(len(texts))
            return [len(calls) == 1] * len(texts)

        model = model_of("llama", root)
        spec: Any = parse_edit("creme:samples=2,sweep_tokens=2")
        with (
            pytest.raises(
                EditRefused, match=r"no key layer \(pass rate 1.00 clean, 0.00"
            ) as caught,
            edited(model, spec, [OTHER], judge),
        ):
            pass
        assert caught.value.profile == (0.0, 0.0, 0.0)

    def test_a_trace_counts_what_the_judge_says(self, root: Path) -> None:
        access = Access(model_of("llama", root))
        seen: list[int] = []

        def judge(_task: Task, texts: Sequence[str]) -> list[bool]:
            # Calls: clean, perturbed, then every layer; layer 1 passes wholly.
            seen.append(len(texts))
            return [len(seen) in (1, 4)] * len(texts)

        with access.frozen_weights():
            found = localisation.trace(access, REQUEST, replace(GREEDY, temperature=0.5), judge)
        assert seen == [10] * 5
        assert (found.clean, found.perturbed, found.key) == (1.0, 0.0, 1)
        assert [each.improvement for each in found.layers] == [0.0, 1.0, 0.0]
        assert all(each.distance > 0 for each in found.layers)

    def test_creme_edits_the_layer_that_it_finds(self, root: Path) -> None:
        calls: list[int] = []

        def judge(_task: Task, texts: Sequence[str]) -> list[bool]:
            calls.append(len(texts))
            return [len(calls) in (1, 5)] * len(texts)

        model = model_of("llama", root)
        spec: Any = parse_edit("creme:samples=2,sweep_tokens=4,tokens=4")
        with edited(model, spec, [OTHER], judge) as repaired:
            assert repaired.facts["layer"] == 2
            (name,) = repaired.change.tensors()
        assert name == "model.layers.2.mlp.down_proj.weight"

    def test_a_clean_prompt_that_fails_is_said(self, root: Path) -> None:
        model = model_of("llama", root)
        spec: Any = parse_edit("creme:samples=2,sweep_tokens=2")
        request = EditRequest(TASK, PROMPT, PERTURBED, "C1")
        with (
            pytest.raises(ModelError, match="the clean prompt passes in none of 2 samples"),
            edited(model, spec, [request], lambda _, texts: [False] * len(texts)),
        ):
            pass


class TestProfile:
    TRACE = Trace(
        0.9,
        0.1,
        (LayerEffect(0.1, 0.0, 12.5), LayerEffect(0.9, 1.0, 3.0), LayerEffect(1.0, 1.13, 2)),
        2,
    )

    def test_bars_fit_a_terminal(self) -> None:
        lines = render_bars(self.TRACE, "quickstart/1[C1-s0]")
        assert max(map(len, lines)) <= 80
        assert "<- key" in lines[6]
        assert lines[5].count("#") == lines[6].count("#") == 40
        assert lines[-1] == "Layer 2 restores most."

    def test_no_key_layer_is_said(self) -> None:
        none = Trace(0.9, 0.1, (LayerEffect(0.1, 0.0, 1.0), LayerEffect(0.0, 0.0, 2.0)), None)
        lines = render_bars(none, "quickstart/1[C1-s0]")
        assert lines[-1] == "No layer restores anything, so there is no key layer."
        assert not any("<- key" in line for line in lines)
        ElementTree.fromstring(draw_picture(none, "quickstart/1[C1-s0]"))

    def test_the_picture_is_well_formed_whatever_it_is_called(self) -> None:
        text = draw_picture(self.TRACE, "<script>\x00\x1b & task")
        root = ElementTree.fromstring(text)
        assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}
        shown = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
        assert any("layer 2" in each for each in shown)
        assert "\x1b" not in text
