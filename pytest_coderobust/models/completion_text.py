"""Texts of completions: what new tokens add behind a prompt, where they end, and their thoughts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_coderobust.models.extraction.thoughts import find_answer_start
from pytest_coderobust.models.stops import EndTest, cut_at_stop
from pytest_coderobust.models.thought_tags import TokenDecoder
from pytest_coderobust.records import Completion, Finish, Sampling


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids of a prompt, with the noise of one row.

    Attributes:
        noise: seeds the row's own generator.
        tags: the opening and the closing tag of thoughts that count besides the known ones.
        opened: the thought's opening tag that the end of the prompt wrote, or "".
    """

    ids: tuple[int, ...]
    noise: int
    tags: tuple[str, ...] = ()
    opened: str = ""


class CompletionTexts:
    """Texts of the token ids that follow prompts.

    Args:
        eos: every token id that ends a completion.
    """

    def __init__(self, decode: TokenDecoder, eos: Sequence[int], prompts: Sequence[Prompt]) -> None:
        self._decode = decode
        self._eos = eos
        self._heads = {ids: self._decode(ids) for ids in {prompt.ids for prompt in prompts}}
        self._prompts = prompts

    def ends(self, sampling: Sampling) -> EndTest:
        """Makes the test of whether a token is a row's last."""
        return EndTest(sampling.stop, self._decode, self.text, self._eos)

    def text(self, row: int, ids: Sequence[int]) -> str:
        """Text that the ids add to the row's prompt.

        Prompt and ids are decoded together, because a tokenizer may drop the space that a text
        starts with, and that space is the first line's indent.
        """
        prompt = self._prompts[row].ids
        head = self._heads[prompt]
        whole = self._decode((*prompt, *ids))
        return whole[len(head) :] if whole.startswith(head) else whole[_common(head, whole) :]

    def completion(self, row: int, ids: Sequence[int], sampling: Sampling) -> Completion:
        """Makes the completion of a row's new ids, which end before an end or a stop string."""
        end = next((place for place, token in enumerate(ids) if token in self._eos), None)
        kept = ids if end is None else ids[:end]
        text = self.text(row, kept)
        before = cut_at_stop(text, sampling.stop)
        finish: Finish = "length" if end is None else "eos"
        if before is not None:
            text, finish = before, "stop"
        thought = self._count_thought(row, kept, text)
        return Completion(text, finish, len(kept), thought, self._prompts[row].opened)

    def _count_thought(self, row: int, ids: Sequence[int], text: str) -> int:
        """Counts the tokens up to the end of the last thought; all where it never ends."""
        prompt = self._prompts[row]
        end = find_answer_start(prompt.opened + text, prompt.tags)
        if end is None:
            return len(ids)
        length = end - len(prompt.opened)
        if length <= 0:
            return 0
        return bisect_left(range(len(ids)), length, key=lambda n: len(self.text(row, ids[:n])))


def _common(left: str, right: str) -> int:
    """Length of the common start."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(left), len(right)))
