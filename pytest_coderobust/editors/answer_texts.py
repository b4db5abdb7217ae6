"""Texts whose tokens read as an answer behind a prompt, whatever the tokenizer writes by itself."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_coderobust.editors.access import Access

LANGUAGE = "python"


def fit_answer(access: Access, prompt: str, answer: str) -> tuple[str, list[int]]:
    """Finds the text whose tokens read as an answer behind a prompt.

    It is the answer, or the answer without its first blank where the tokenizer (SentencePiece's)
    writes one by itself before a text.

    Returns:
        The text, and its ids.
    """
    tokenizer = access.loaded.tokenizer
    before = access.backend.encode(prompt, LANGUAGE)
    wanted = read_ids(access, before) + answer
    texts = [answer, *([answer[1:]] if answer.startswith(" ") else [])]
    ids = [list(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
    reads = [read_ids(access, [*before, *each]) == wanted for each in ids]
    place = reads.index(True) if True in reads else 0
    return texts[place], ids[place]


def read_ids(access: Access, ids: Sequence[int], *, keep: bool = True) -> str:
    """Reads ids as text; `keep` leaves special tokens in it."""
    text: str = access.loaded.tokenizer.decode(
        list(ids), skip_special_tokens=not keep, clean_up_tokenization_spaces=False
    )
    return text
