"""Thought tags of a checkpoint: special tokens of its tokenizer, and tags that its template writes.

Tokenizers leave special tokens out of a text, and with a closing tag the end of a thought would be
lost. A template may end inside a thought, which the model then closes without having opened it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pytest_coderobust.models.checkpoint import Checkpoint
from pytest_coderobust.models.extraction.thoughts import PAIRS, find_answer_start
from pytest_coderobust.models.folders import read_json

KNOWN = tuple(dict.fromkeys(tag for pair in PAIRS for tag in pair))
"""Tags that mark thoughts in every suite."""

_ADDED = re.compile(r'(?<!\\)"added_tokens"\s*:\s*(?=\[)')


@dataclass(frozen=True, slots=True)
class TokenDecoder:
    """A decoder of token ids that leaves out special tokens, but for those that are thought tags.

    Attributes:
        kept: ids of special tokens that stay in a text.
        hidden: ids of all other special tokens.
    """

    tokenizer: Any
    kept: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()

    def __call__(self, ids: Sequence[int]) -> str:
        if self.kept.isdisjoint(ids):
            return decode(self.tokenizer, ids)
        shown = [each for each in ids if each not in self.hidden]
        return str(self.tokenizer.decode(shown, clean_up_tokenization_spaces=False))


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """Turns token ids into text, without special tokens and without removing spaces."""
    return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def make_decoder(tokenizer: Any, tags: Iterable[str]) -> TokenDecoder:
    """Makes the decoder of a tokenizer.

    Args:
        tags: thought tags besides the known ones.
    """
    added = cast("Mapping[int, Any]", tokenizer.added_tokens_decoder)
    special = {number for number, token in added.items() if token.special}
    special.update(tokenizer.all_special_ids)
    wanted = _fold((*KNOWN, *tags))
    kept = {number for number in special if str(added.get(number, "")).lower() in wanted}
    return TokenDecoder(tokenizer, frozenset(kept), frozenset(special - kept))


def list_tags(checkpoint: Checkpoint, template: str, *, chat: bool) -> list[list[str]]:
    """Lists the known tags that change how a model's answers are read; empty where none does.

    Returns:
        the tags that are special tokens, and the opening tags that the templates may write.
    """
    if checkpoint.header is not None:
        return []  # the digest of a GGUF file is of all that it holds
    folder = checkpoint.folder
    special = _fold(_list_special(folder))
    text = (template + (_read_chat_template(folder) if chat else "")).lower()
    kept = [tag for tag in KNOWN if tag.lower() in special]
    written = [opening for opening, _ in PAIRS if opening.lower() in text]
    return [kept, written] if kept or written else []


def _read_chat_template(folder: Path) -> str:
    """Reads the text of a checkpoint's chat template, "" where it has none."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8", errors="replace")
    for name in ("chat_template.json", "tokenizer_config.json"):
        if found := read_json(folder / name).get("chat_template"):
            return str(found)
    return ""


def find_opened(rendered: str, prompt: str, tags: tuple[str, ...]) -> str:
    """Finds the thought's opening tag that a rendered prompt ends behind, or "".

    Only what the template wrote behind the prompt counts, where the prompt can be found in it.

    Args:
        tags: one more opening and closing tag, or nothing.
    """
    bare = prompt.strip()
    behind = rendered.rpartition(bare)[2] if bare in rendered and bare else rendered
    if find_answer_start(behind, tags) is not None:
        return ""
    openings = [pair[0] for pair in (*PAIRS, *([tags] if tags else []))]
    written = re.findall("|".join(map(re.escape, openings)), behind, re.IGNORECASE)
    return str(written[-1])


def _list_special(folder: Path) -> Iterator[str]:
    """Lists the special tokens that a tokenizer's files name."""
    config = read_json(folder / "tokenizer_config.json")
    decoder = config.get("added_tokens_decoder")
    added: list[Any] = [*decoder.values()] if isinstance(decoder, dict) else []
    added += _read_added(folder / "tokenizer.json")
    for table in (config, read_json(folder / "special_tokens_map.json")):
        for key in ("additional_special_tokens", "extra_special_tokens"):
            more = table.get(key)
            values = more.values() if isinstance(more, dict) else more
            added += list(values) if isinstance(values, Iterable) else []
    for token in added:
        if isinstance(token, dict) and token.get("special", True):
            yield str(token.get("content"))
        elif isinstance(token, str):
            yield token


def _read_added(file: Path) -> list[Any]:
    """Reads the added tokens in a tokenizer's file, and not its vocabulary of many megabytes."""
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    if (start := _ADDED.search(text)) is None:
        return []
    try:
        found, _ = json.JSONDecoder().raw_decode(text, start.end())
    except ValueError:
        return []  # the tokenizer's own loader says what is wrong
    return cast("list[Any]", found)


def _fold(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text.lower() for text in texts)
