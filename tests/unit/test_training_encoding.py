"""Rows become the ids that generation would send, and the answer that it would have to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_coderobust.errors import DataError, ModelError
from pytest_coderobust.training.encoding import (
    IGNORED,
    EncodedExample,
    encode_example,
    encode_material,
    pad,
)
from pytest_coderobust.training.example import Passage, TrainingExample
from pytest_coderobust.training.formats import ALPACA_TEMPLATE
from pytest_coderobust.training.material import BARE, Material, read_material
from tests.support.models_checkpoints import backend, byte_level, llama, save, save_random, wrap

CHAT = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
LINES = st.text(alphabet="ab \n\t(:)é", min_size=1, max_size=20)


def make_material(*pairs: tuple[str, str]) -> Material:
    examples = tuple(
        TrainingExample(str(number), (Passage(prompt),), answer)
        for number, (prompt, answer) in enumerate(pairs)
    )
    return Material("rows", BARE, "digest", examples)


@pytest.fixture(scope="module", params=["byte-level", "sentence-piece"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return backend(save_random(tmp_path_factory.mktemp("model"), kind=request.param))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(prompt=LINES, answer=LINES)
def test_the_prompt_is_what_generation_sends_and_the_answer_is_behind_it(
    opened: Any, prompt: str, answer: str
) -> None:
    row = encode_example(TrainingExample("1", (Passage(prompt),), answer), opened)
    tokenizer = opened.tokenizer
    assert list(row.ids[: row.prompt]) == opened.encode(prompt, "python")
    assert row.ids[-1] == tokenizer.eos_token_id
    # behind the prompt, since a tokenizer may drop the blank that a text begins with
    shown = tokenizer.decode(row.ids[: row.prompt], clean_up_tokenization_spaces=False)
    whole = tokenizer.decode(row.ids[:-1], clean_up_tokenization_spaces=False)
    assert whole[len(shown) :] == answer
    assert row.labels == (IGNORED,) * row.prompt + row.ids[row.prompt :]


def test_halves_of_characters_are_replaced_as_in_a_suite(opened: Any) -> None:
    row = encode_example(TrainingExample("1", (Passage("a \ud800\n"),), "b \udc00"), opened)
    assert list(row.ids[: row.prompt]) == opened.encode("a \ud800\n", "python")
    assert opened.tokenizer.decode(row.ids[row.prompt : -1]).endswith("b \ufffd")


def test_tiny_is_trained_on_the_ids_of_its_own_training() -> None:
    """The bundled model was trained with prompt and answer encoded apart."""
    tiny: Any = backend_of("tiny")
    data = read_material("tiny:corpus", rows=20)
    for example in data.examples:
        row = encode_example(example, tiny)
        tokenizer = tiny.tokenizer.backend_tokenizer
        prompt, answer = (tokenizer.encode(text).ids for text in (example.texts[0], example.answer))
        assert list(row.ids) == [*prompt, *answer, 0]
        assert row.prompt == len(prompt)


def backend_of(name: str) -> Any:
    from pytest_coderobust.models.registry import open_backend

    return open_backend(name)


def test_the_template_stands_around_the_prompt_in_training_as_in_a_suite(tmp_path: Path) -> None:
    model = backend(save_random(tmp_path), template=ALPACA_TEMPLATE)
    row = encode_example(TrainingExample("1", (Passage("Add {a}."),), "a + b"), model)
    assert list(row.ids[: row.prompt]) == model.encode("Add {a}.", "python")
    text = model.tokenizer.decode(row.ids[:-1])
    assert text == "### Instruction:\nAdd {a}.\n\n### Response:\na + b"


def test_messages_go_through_the_chat_template(tmp_path: Path) -> None:
    tokenizer = wrap(byte_level())
    tokenizer.chat_template = CHAT
    model = backend(save(tmp_path / "chat", llama(tokenizer), tokenizer))
    passages = (Passage("Be short.", "system", prose=False), Passage("Add.", "user"))
    row = encode_example(TrainingExample("1", passages, "a + b"), model)
    decode = model.tokenizer.decode
    assert decode(row.ids[: row.prompt]) == "<system>Be short.\n<user>Add.\n<assistant>"
    assert decode(row.ids[row.prompt :]) == "a + b</s>"
    bare = backend(save_random(tmp_path / "bare"))
    with pytest.raises(ModelError, match="the rows are messages, and its tokenizer has no chat"):
        encode_example(TrainingExample("1", passages, "a"), bare)


def test_longer_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    model = backend(save_random(tmp_path))
    material = make_material(("ab", "b"), ("ab" * 40, "b"), ("a", "b" * 90))
    rows, left = encode_material(material, model, 30)
    assert (len(rows), left) == (1, 2)
    with pytest.raises(
        DataError, match="there is no row to train on: all 3 have more than 2 tokens"
    ):
        encode_material(material, model, 2)


@given(
    st.lists(
        st.tuples(st.lists(st.integers(5, 99), min_size=2, max_size=9), st.integers(0, 1)),
        min_size=1,
    )
)
def test_padding_is_never_seen_and_never_learnt(rows: list[tuple[list[int], int]]) -> None:
    encoded = [EncodedExample(tuple(ids), prompt) for ids, prompt in rows]
    batch = pad(encoded, 0)
    assert {len(row) for values in batch.values() for row in values} == {
        max(len(i) for i, _ in rows)
    }
    for (ids, prompt), got, mask, labels in zip(rows, *batch.values(), strict=True):
        assert [token for token, seen in zip(got, mask, strict=True) if seen] == ids
        assert [label for label in labels if label != IGNORED] == ids[prompt:]
        assert len(ids) == sum(mask)
