"""Thought tags that are special tokens, or that a template writes: no answer is lost to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models_checkpoints import (
    BODY,
    PROMPT,
    TASK,
    backend,
    byte_level,
    llama,
    row,
    save,
    save_memorised,
    save_random,
    sentence_piece,
    wrap,
)
from tokenizers import AddedToken

from pytest_coderobust.models.extraction.solution import UNFINISHED, extract
from pytest_coderobust.models.hf import DECODING
from pytest_coderobust.models.thought_tags import KNOWN, decode, find_opened, make_decoder
from pytest_coderobust.records import Row, Sampling, digest

pytestmark = pytest.mark.usefixtures("one_thread")

OPENING, CLOSING = "<|START_THINKING|>", "<|END_THINKING|>"
SPECIAL = (OPENING, CLOSING, "[[", "]]", "<|im_end|>")
ANSWER = f"```python\n{PROMPT}{BODY}```\n"
THOUGHT = f"{OPENING}so{CLOSING}\n{ANSWER}"
OWN = f"[[so]]\n{ANSWER}"
OTHER = "# other\n"


def with_special(tokenizer: Any) -> Any:
    found = wrap(tokenizer)
    found.add_tokens([AddedToken(tag, special=True) for tag in SPECIAL])
    return found


BYTES, PIECES = with_special(byte_level()), with_special(sentence_piece())


@pytest.fixture(scope="module")
def thinking(tmp_path_factory: pytest.TempPathFactory) -> Any:
    texts = [(PROMPT, THOUGHT), (OTHER, OWN)]
    return backend(
        save_memorised(tmp_path_factory.mktemp("thinking"), "byte-level", texts, SPECIAL)
    )


def digest_without_tags(model: Any, template: str) -> str:
    """The digest as it was before thought tags were part of any."""
    versions = [model.identity.facts[name] for name in ("torch", "transformers")]
    parts = ["float32", "cpu", *versions, model.spec.chat, template]
    return digest("hf", DECODING, model.checkpoint_digest, parts)


def count_tokens(model: Any, text: str) -> int:
    return len(model.tokenizer(text, add_special_tokens=False)["input_ids"])


def test_a_closing_tag_that_is_a_special_token_ends_the_thought(thinking: Any) -> None:
    (answer,) = thinking.generate([row(PROMPT)], Sampling(max_new_tokens=200))
    assert answer.text == THOUGHT
    assert extract(answer.answer, TASK) == PROMPT + BODY
    assert answer.thought_tokens == count_tokens(thinking, f"{OPENING}so{CLOSING}")
    assert answer.tokens == count_tokens(thinking, THOUGHT)


def test_a_suites_own_special_tags_are_kept_where_it_names_them(thinking: Any) -> None:
    asked = row(OTHER)
    own = Row(asked.variant, 0, 0, ("[[", "]]"))
    (plain,) = thinking.generate([asked], Sampling(max_new_tokens=200))
    (told,) = thinking.generate([own], Sampling(max_new_tokens=200))
    assert plain.text == OWN.replace("[[", "").replace("]]", "")
    assert plain.thought_tokens == 0
    assert told.text == OWN
    assert told.thought_tokens == count_tokens(thinking, "[[so]]")


def test_a_thought_that_never_ends_is_all_thought(thinking: Any) -> None:
    (answer,) = thinking.generate([row(PROMPT)], Sampling(max_new_tokens=2))
    assert answer.thought_tokens == answer.tokens == 2
    assert extract(answer.answer, TASK) == UNFINISHED


def test_a_stop_string_inside_the_thought_leaves_it_unfinished(thinking: Any) -> None:
    (answer,) = thinking.generate([row(PROMPT)], Sampling(max_new_tokens=200, stop=("so",)))
    assert answer.text == OPENING
    assert answer.thought_tokens == answer.tokens


@given(pieces=st.lists(st.sampled_from((*SPECIAL, "a b", "\n", " x", "é")), max_size=8))
@settings(deadline=None)
def test_thought_tags_alone_come_back_of_all_special_tokens(pieces: list[str]) -> None:
    for tokenizer in (BYTES, PIECES):
        ids = [
            i for piece in pieces for i in tokenizer(piece, add_special_tokens=False)["input_ids"]
        ]
        shown = [piece for piece in pieces if piece in (OPENING, CLOSING) or piece not in SPECIAL]
        kept = [
            i for piece in shown for i in tokenizer(piece, add_special_tokens=False)["input_ids"]
        ]
        found = make_decoder(tokenizer, ())(ids)
        whole = tokenizer.decode(
            kept, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        assert found == whole
        if not {OPENING, CLOSING} & set(pieces):
            assert found == decode(tokenizer, ids)


class TestTemplate:
    def test_an_opening_tag_of_the_template_stays_with_the_completion(self, thinking: Any) -> None:
        model = backend(thinking.checkpoint.folder, template="{prompt}<think>\n")
        (answer,) = model.generate([row("x = 1\n")], Sampling(max_new_tokens=3))
        assert answer.opened == "<think>"
        assert not answer.text.startswith("<think>")
        assert answer.thought_tokens == answer.tokens
        assert extract(answer.answer, TASK) == UNFINISHED

    @pytest.mark.parametrize(
        ("rendered", "prompt", "tags", "opened"),
        [
            ("P<think>\n", "P", (), "<think>"),
            ("user: P\nassistant: <THINK>", "P\n", (), "<THINK>"),
            ("P<think>\n\n</think>\n\n", "P", (), ""),
            ("P\nassistant:", "P", (), ""),
            ("a <think> b", "a <think> b", (), ""),
            ("a <think> b\nassistant: <think>Well, ", "a <think> b", (), "<think>"),
            ("P[[", "P", ("[[", "]]"), "[["),
            ("P[[", "P", (), ""),
            ("<think>", "", (), "<think>"),
            ("reworded <think>", "P", (), "<think>"),
        ],
    )
    def test_what_the_template_left_open(
        self, rendered: str, prompt: str, tags: tuple[str, ...], opened: str
    ) -> None:
        assert find_opened(rendered, prompt, tags) == opened


class TestDigest:
    def test_a_model_without_thought_tags_keeps_its_digest(self, tmp_path: Path) -> None:
        plain = backend(save_random(tmp_path / "plain"))
        assert plain.identity.digest == digest_without_tags(plain, "{prompt}")

    @pytest.mark.parametrize("where", ["tokenizer", "config", "template", "chat template"])
    def test_thought_tags_are_part_of_it(self, where: str, tmp_path: Path) -> None:
        tokenizer = wrap(byte_level())
        if where == "tokenizer":
            tokenizer.add_tokens([AddedToken(CLOSING, special=True)])
        if where == "chat template":
            tokenizer.chat_template = "{{ messages[0].content }}<think>\n"
        folder = save(tmp_path / "m", llama(tokenizer), tokenizer)
        if where == "config":
            file = folder / "special_tokens_map.json"
            file.write_text('{"additional_special_tokens": ["<|END_THINKING|>"]}')
        template = "{prompt}<think>" if where == "template" else "{prompt}"
        model = backend(folder, template=template, chat=where == "chat template")
        assert model.identity.digest != digest_without_tags(model, template)


def test_tags_are_known_once() -> None:
    assert len(KNOWN) == len(set(KNOWN))
