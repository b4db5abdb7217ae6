"""A-GRACE's own checks: what counts as the edited prompt, how that is learned, and what is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from support.editors_contract import OTHER, PERTURBED, REQUEST, SAMPLING, computed, logits, model_of
from support.models_checkpoints import PROMPT, row

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.case_splitting import split_groups
from pytest_coderobust.editors.case_states import group_prompts, read_split, stack_all
from pytest_coderobust.editors.codebook import Codebook
from pytest_coderobust.editors.edited_model import edited, successive
from pytest_coderobust.editors.encoded_codebook import (
    EncodedBook,
    EncodedCodebookChange,
    encoded_codebook_change,
    insert_code,
)
from pytest_coderobust.editors.encoder_store import make_recipe
from pytest_coderobust.editors.encoder_training import (
    CaseStates,
    EncoderRecipe,
    compute_auc,
    contrastive_loss,
    train_encoder,
)
from pytest_coderobust.editors.hit_calibration import (
    HeldOutScores,
    calibrate,
    measure_threshold,
    score_cases,
)
from pytest_coderobust.editors.hooks import captured_states
from pytest_coderobust.editors.identity import require_weights
from pytest_coderobust.editors.network_files import TEXTS, read_about
from pytest_coderobust.editors.ordinary_cases import draw_library_cases
from pytest_coderobust.editors.prompt_encoder import PromptEncoder, make_weights
from pytest_coderobust.editors.prompt_states import read_mean_states
from pytest_coderobust.editors.registry import parse_edit
from pytest_coderobust.editors.trained_options import AGraceOptions
from pytest_coderobust.errors import DataError, EditRefused, ModelError, UsageError
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.knowledge.choosing import digest_texts
from pytest_coderobust.knowledge.reading import read_case_set
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.records.knowledge import KnowledgeCase

pytestmark = pytest.mark.usefixtures("one_thread", "own_cache")

TEXT = "a-grace:layer=1,steps=4,init=warm,replace=all,gain=0,cases=32,least=0"
ROWS = [row(PERTURBED), row(PROMPT), row("import os\n")]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a-grace")


@pytest.fixture(scope="module")
def llama(root: Path) -> Any:
    return model_of("llama", root)


@pytest.fixture(scope="module")
def change(llama: Any) -> EncodedCodebookChange:
    found: EncodedCodebookChange = computed(Access(llama), TEXT)
    return found


def kept_file(own_cache: Path) -> Path:
    return next((own_cache / "pytest-coderobust" / "encoders").glob("*.safetensors"))


class TestLookup:
    @pytest.mark.parametrize("architecture", ["llama", "gpt2", "stablelm-parallel"])
    def test_the_side_of_the_padding_does_not_matter(self, architecture: str, root: Path) -> None:
        model = model_of(architecture, root)
        prompts = [model.encode(text, "python") for text in (PERTURBED, "x = 1\n", PROMPT)]
        left, right = (
            read_mean_states(Access(model, side), 1, prompts) for side in ("left", "right")
        )
        alone = torch.cat([read_mean_states(Access(model), 1, [each]) for each in prompts])
        assert torch.allclose(left, right, rtol=1e-4, atol=1e-5)
        assert torch.allclose(left, alone, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(left[0], left[2], atol=1e-2)

    def test_the_mean_is_that_of_the_states(self, llama: Any) -> None:
        access, ids = Access(llama), llama.encode(PERTURBED, "python")
        with captured_states(access.projection(1).module, "input") as seen:
            logits(llama)
        assert torch.allclose(read_mean_states(access, 1, [ids])[0], seen[0][0].mean(dim=0))

    def test_each_generate_behaves_as_the_first(self, llama: Any) -> None:
        plain = llama.generate(ROWS, SAMPLING)
        spec: Any = parse_edit(TEXT)
        with edited(llama, spec, [REQUEST]) as model:
            first, second, third = (model.generate(ROWS, SAMPLING) for _ in range(3))
            alone = [model.generate([each], SAMPLING)[0] for each in ROWS]
        assert first == second == third == alone
        assert first[0] != plain[0]
        assert first[2] == plain[2]

    def test_an_empty_codebook_and_a_radius_of_nothing_leave_every_bit(
        self, llama: Any, change: EncodedCodebookChange
    ) -> None:
        access, before, codes = Access(llama), logits(llama), change.codes
        book = codes.book
        empty = Codebook(book.keys[:0], book.values[:0], book.radii[:0], ())
        away = Codebook(book.keys + 1, book.values, torch.zeros(1), book.labels)
        for each in (empty, away):
            with replace(change, codes=replace(codes, book=each)).installed(access):
                assert torch.equal(logits(llama), before)
        with change.installed(access):
            assert not torch.equal(logits(llama), before)
        assert torch.equal(logits(llama), before)

    def test_the_ratio_by_hand(self) -> None:
        """A code 1 from the key counts up to `ratio` times its distance to the bank."""
        weights = make_weights(torch.ones(1, 2), torch.Generator(), standardise=False)
        book = Codebook(torch.zeros(1, 2), torch.zeros(1, 3), torch.tensor([torch.inf]), ((1,),))
        bank = torch.tensor([[4.0, 0.0], [-9.0, 0.0]])
        for ratio, hits in ((0.3, [False, True, False]), (0.34, [True, True, False])):
            codes = EncodedBook(book, PromptEncoder(weights), bank, ratio)
            found, _ = codes.find_hits(torch.tensor([[1.0, 0.0], [0.0, 0.0], [3.0, 0.0]]))
            assert found.tolist() == hits

    def test_a_code_that_counts_already_shares_its_key(self, change: EncodedCodebookChange) -> None:
        codes, value = change.codes, torch.zeros(16)
        label, other = codes.book.labels[0], (1, 2)
        code = codes.book.keys[0]
        assert insert_code(codes, codes, code, value, label, 0.0)[1] == 0
        grown, place = insert_code(codes, codes, code, value, other, 0.0)
        assert (place, grown.book.labels) == (1, (label, other))

    def test_keys_accumulate_in_a_succession(self, llama: Any) -> None:
        spec: Any = parse_edit(f"{TEXT},epsilon=0.0001")
        models = successive(llama, spec, [REQUEST, OTHER])
        sizes = [len(model.change.codes.book.labels) for model in models]  # type: ignore[attr-defined]
        assert sizes == [1, 2]

    def test_a_saved_change_is_the_same(self, llama: Any, change: EncodedCodebookChange) -> None:
        again = encoded_codebook_change(dict(change.tensors()), change.facts)
        with change.installed(Access(llama)):
            wanted = logits(llama)
        with again.installed(Access(llama)):
            assert torch.equal(logits(llama), wanted)


class TestCalibration:
    @given(
        st.lists(st.integers(0, 12), min_size=1, max_size=30),
        st.lists(st.integers(0, 12), min_size=1, max_size=30),
        st.sampled_from([0.0, 0.5, 0.8, 0.9, 1.0]),
    )
    def test_no_larger_threshold_is_as_specific(
        self, near: list[int], far: list[int], wanted: float
    ) -> None:
        scores = HeldOutScores(torch.tensor(near).float(), torch.tensor(far).float())
        found = calibrate(scores, wanted)
        assert found.specificity >= wanted - 1e-9 or found.value == 0 == min(far)
        assert found.specificity == sum(each > found.value for each in far) / len(far)
        assert found.generalisation == sum(each <= found.value for each in near) / len(near)
        larger = [each for each in far if each > found.value]
        if larger:
            assert sum(each > min(larger) for each in far) / len(far) < wanted

    @given(
        st.lists(st.integers(0, 9), min_size=1, max_size=20),
        st.lists(st.integers(0, 9), min_size=1, max_size=20),
    )
    def test_auc_is_that_of_mann_and_whitney(self, near: list[int], far: list[int]) -> None:
        found = compute_auc(torch.tensor(near).float(), torch.tensor(far).float())
        wanted = mannwhitneyu(far, near).statistic / (len(near) * len(far))
        assert found == pytest.approx(wanted)

    def test_loss_is_nothing_where_pairs_lie_as_wanted(self) -> None:
        anchors = torch.tensor([[0.0, 0.0], [5.0, 0.0]], requires_grad=True)
        one = torch.ones(2, 1, dtype=torch.bool)
        far = anchors.detach() + torch.tensor([0.0, 1.3])
        loss = contrastive_loss(anchors, anchors.detach().clone(), far, one, one, 1.3)
        assert loss.item() == 0
        torch.autograd.backward(loss)
        assert anchors.grad is not None
        assert bool(torch.isfinite(anchors.grad).all()), "coincident pairs have a gradient"
        near = anchors.detach() + torch.tensor([0.5, 0.0])
        by_hand = (2 * 0.25 + 2 * (1.3 - 1.0) ** 2) / 4
        other = anchors.detach() + torch.tensor([0.0, 1.0])
        found = contrastive_loss(anchors.detach(), near, other, one, one, 1.3)
        assert float(found) == pytest.approx(by_hand)


def toy_states(seed: int, count: int) -> CaseStates:
    """Cases whose meaning is in 24 of 48 entries; the others are noise."""
    random = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random)

    meaning = 2 * noise(count, 1, 24)

    def states(own: torch.Tensor) -> torch.Tensor:
        return torch.cat([own, noise(*own.shape[:-1], 24)], dim=-1)

    near = states(meaning + 0.1 * noise(count, 1, 24))
    far = states(meaning + 3 * noise(count, 5, 24))
    real = torch.ones(count, 5, dtype=torch.bool)
    return CaseStates(states(meaning)[:, 0], near, real[:, :1], far, real)


def test_ours_generalises_more_than_the_published_form_at_its_specificity() -> None:
    """On states with a known meaning; tests of `tiny` itself are slow."""
    fit, select, held, fresh = (toy_states(seed, n) for seed, n in enumerate((300, 60, 200, 200)))
    found = {}
    for loss in ("contrastive", "infonce"):
        recipe = EncoderRecipe(loss, lr=1e-3 if loss == "infonce" else 1e-4, epochs=60)  # type: ignore[arg-type]
        encoder = train_encoder(fit, select, recipe, 0).encoder
        threshold = calibrate(score_cases(encoder, held, None), 0.9)
        found[loss] = measure_threshold(score_cases(encoder, fresh, None), threshold.value)
    ours, published = found["infonce"], found["contrastive"]
    assert abs(ours.specificity - 0.9) < 0.08
    assert abs(published.specificity - 0.9) < 0.08
    assert ours.generalisation > published.generalisation + 0.1


@pytest.mark.slow
def test_on_tiny_it_generalises_more_at_the_same_specificity() -> None:
    """Encoders learn and calibrate on tiny:train, and are measured on tiny:cases."""
    access = Access(require_weights(open_backend("tiny", options=ModelOptions()), "a-grace"))
    train, test = (
        group_prompts(read_case_set(name), "rewrites", 0) for name in ("tiny:train", "tiny:cases")
    )
    split = read_split(access, 6, split_groups("tiny:train", train, 0))
    fresh = stack_all(access, 6, test)
    found = {}
    for name in ("a-grace:loss=contrastive", "a-grace"):
        spec: Any = parse_edit(name)
        encoder = train_encoder(split.fit, split.select, make_recipe(spec.options), 0).encoder
        bank = encoder.encode(split.bank) if name == "a-grace" else None
        limit = calibrate(score_cases(encoder, split.calibrate, bank), 0.9).value
        found[name] = measure_threshold(score_cases(encoder, fresh, bank), limit)
    published, ours = found.values()
    assert min(ours.specificity, published.specificity) >= 0.88
    assert ours.generalisation >= published.generalisation + 0.1


def test_the_same_seed_trains_the_same_encoder() -> None:
    cases, held = toy_states(0, 40), toy_states(1, 20)
    first, second, other = (
        train_encoder(cases, held, EncoderRecipe("infonce", epochs=3), seed).encoder.weights.first
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


class TestKept:
    def test_a_damaged_file_is_trained_again(
        self, llama: Any, change: EncodedCodebookChange, own_cache: Path
    ) -> None:
        path = kept_file(own_cache)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        again: EncodedCodebookChange = computed(Access(llama), TEXT)
        assert all(
            torch.equal(tensor, again.tensors()[name]) for name, tensor in change.tensors().items()
        )
        facts: Any = computed(Access(llama), TEXT).facts["training"]
        assert facts["trained"] == 0.0, "the second time it is read"

    @pytest.mark.usefixtures("change")
    def test_another_models_encoder_is_refused(
        self, llama: Any, root: Path, own_cache: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "e.safetensors"
        shutil.copy(kept_file(own_cache), path)
        about: Any = read_about(path)
        assert about[TEXTS] == digest_texts(draw_library_cases(32, 0).cases)
        text = f"a-grace:encoder={path},steps=2,gain=0,least=0"
        assert computed(Access(llama), text).facts["layer"] == 1
        other = Access(model_of("qwen2", root))
        with pytest.raises(
            ModelError, match=r"was trained for model '.*llama' \(.*\), not for '.*q"
        ):
            computed(other, text)
        with pytest.raises(UsageError, match="was trained for layer 1, not for layer=0"):
            computed(Access(llama), f"{text},layer=0")
        path.write_bytes(b"no tensors")
        with pytest.raises(DataError, match="is not a readable file of encoders"):
            computed(Access(llama), text)

    def test_a_missing_file_is_one_sentence(self, llama: Any) -> None:
        with pytest.raises(UsageError, match=r"no\.safetensors: no such file"):
            _ = AGraceOptions(encoder="no.safetensors").outside
        with pytest.raises(DataError, match=r"encoder=no\.safetensors: is not a readable file"):
            computed(Access(llama), "a-grace:encoder=no.safetensors")

    def test_what_buys_nothing_is_refused(self, llama: Any) -> None:
        with pytest.raises(
            EditRefused, match=r"A-GRACE buys nothing: at a specificity of 1 \d+% of"
        ):
            computed(Access(llama), TEXT.replace("least=0", "least=1,specificity=1"))

    def test_the_published_form_has_a_fixed_radius(self, llama: Any) -> None:
        found = computed(Access(llama), f"{TEXT},loss=contrastive,epsilon=1")
        assert found.codes.book.radii.tolist() == [1.0]
        assert found.codes.bank is None
        counts, learned = found.facts["notes"]
        assert "distance <= 1 (fixed)" in counts
        training: Any = found.facts["training"]
        assert (training["cases"], training["fitted"]) == (32, 21)
        assert training["bank"] > training["fitted"]
        assert learned.startswith(
            f"encoder of 21 cases with {training['negatives']} neighbours, bank of "
        )


def test_options_change_the_digest_and_the_cases_do_too(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"prompt": "a", "target": "b", "rewrites": ["c"], "neighbours": ["d"]}\n')
    text = f"a-grace:cases=32,train={path}"
    specs: list[Any] = [parse_edit(each) for each in ("a-grace:cases=32", "a-grace:cases=33", text)]
    given = replace(specs[0], training=CaseSet("x", (KnowledgeCase("0", "a", "b"),)))
    before = specs[2].digest
    assert len({each.digest for each in (*specs, given)}) == 4
    path.write_text(path.read_text().replace('"c"', '"another"'))
    assert specs[2].digest != before
