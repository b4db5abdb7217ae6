"""Training lowers the loss, repeats exactly and counts only answers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from pytest_coderobust.tiny import network, vocabulary
from pytest_coderobust.tiny.batches import Encoded, batches, collate, encode
from pytest_coderobust.tiny.corpus import training_samples
from pytest_coderobust.tiny.network import END_ID, PAD_ID
from pytest_coderobust.tiny.recipe import Cycle, TrainingRecipe
from pytest_coderobust.tiny.train import main
from pytest_coderobust.tiny.training import answer_loss, train

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = TrainingRecipe(
    cycles=(Cycle(480, 3e-3, broad=0.05), Cycle(320, 2e-3)),
    layers=2, hidden=32, inner=64, heads=2, vocabulary=400, batch=4,
)  # fmt: skip


def test_two_trainings_have_equal_weights_after_two_hundred_steps() -> None:
    first, second = train(SMALL), train(SMALL)
    assert len(first.losses) == SMALL.run_steps == 200
    assert first.losses == second.losses
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_another_seed_gives_other_weights() -> None:
    short = TrainingRecipe(**{**fields(SMALL), "steps": 2})
    other = TrainingRecipe(**{**fields(short), "seed": 1})
    assert train(short).losses != train(other).losses


def fields(recipe: TrainingRecipe) -> dict[str, object]:
    return {name: getattr(recipe, name) for name in recipe.__dataclass_fields__}


def test_the_loss_goes_down_on_a_hundredth_of_the_corpus() -> None:
    recipe = TrainingRecipe(scale=0.01, layers=2, hidden=64, inner=128)
    losses = train(recipe).losses
    assert len(losses) == recipe.run_steps == 122
    # The first steps count prompt and answer, the later ones the answer alone. Only the losses of
    # later steps can be compared with one another.
    assert sum(losses[-8:]) < 0.8 * sum(losses[3:11])


def test_the_schedule_covers_every_sample_of_every_cycle() -> None:
    assert TrainingRecipe().samples == (64_000, 72_000, 60_000)
    assert TrainingRecipe().run_steps == 12_250
    assert TrainingRecipe(scale=0.01).samples == (640, 720, 592)
    assert TrainingRecipe(steps=5).run_steps == 5


def test_every_sample_is_in_one_batch_and_shuffled_by_the_seed() -> None:
    rows = [Encoded((2, 3, i), 1) for i in range(40)]
    seen = [row for batch in batches(rows, 4, seed=0) for row in batch.targets[:, -1].tolist()]
    assert sorted(seen) == list(range(40))
    assert seen != [row for batch in batches(rows, 4, 1) for row in batch.targets[:, -1].tolist()]


def test_only_the_answer_and_its_end_are_counted() -> None:
    samples = list(training_samples(0, 30))
    tokenizer = vocabulary.learn((s.prompt + s.answer for s in samples), 400)
    encoded = encode(samples, tokenizer)
    batch = collate(encoded)
    for i, sample in enumerate(samples):
        counted = batch.targets[i][batch.answers[i]].tolist()
        assert counted[-1] == END_ID
        assert tokenizer.decode(counted[:-1]) == sample.answer
        assert PAD_ID not in counted


def test_the_loss_equals_cross_entropy_over_the_whole_output() -> None:
    """Compares with the logits of the whole network, picked row by row."""
    torch.manual_seed(0)
    model = network.build(SMALL).eval()
    batch = collate([Encoded((5, 6, 7, 8, 0), 2), Encoded((9, 10, 0), 1)])
    with torch.no_grad():
        log_odds = model(input_ids=batch.inputs).logits.log_softmax(-1)
        picked = [log_odds[0, 1, 7], log_odds[0, 2, 8], log_odds[0, 3, 0],
                  log_odds[1, 0, 10], log_odds[1, 1, 0]]  # fmt: skip
        broad = [*picked, log_odds[0, 0, 6]]
        assert float(answer_loss(model, batch, "cpu", broad=False)) == pytest.approx(
            -sum(map(float, picked)) / 5, rel=1e-5
        )
        assert float(answer_loss(model, batch, "cpu", broad=True)) == pytest.approx(
            -sum(map(float, broad)) / 6, rel=1e-5
        )


def test_the_command_writes_a_checkpoint_that_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path / "new"), "--scale", "0.002", "--steps", "2"]) == 0
    assert "tokens in" in capsys.readouterr().out
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "new")
    assert model.config.num_hidden_layers == 8
    assert model.dtype == torch.float32
    stored = model.get_input_embeddings().weight
    assert torch.equal(stored, stored.half().float())
