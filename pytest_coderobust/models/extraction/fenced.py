"""Fenced blocks of a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_coderobust.models.extraction.blocks import is_python
from pytest_coderobust.records import Language

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})(?P<info>[^\n`]*)$", re.M)
_DEEPER = 3
"""Columns that a closing fence may be deeper than the one that it closes (CommonMark 0.31, 4.5)."""
_TAGS = {
    "python": frozenset({"python", "py", "python2", "python3", "py3", "pypy", "pypy3"}),
    "cpp": frozenset({"cpp", "c++", "cxx", "cc", "c"}),
    "java": frozenset({"java"}),
}
"""Words behind an opening fence, by the language of a task."""
_OTHER_TAGS = frozenset(
    """
    ada asm bash bat batch c# clojure cmd cobol console coffeescript cs csharp css csv cuda
    d dart diff elixir elm erlang f# fortran fsharp go golang groovy haskell hs html ini
    javascript js json json5 jsonl jsx julia kotlin kt latex lisp log lua makefile markdown
    mathematica matlab md mermaid nim objc objective-c objectivec ocaml octave output pascal perl
    php plain plaintext powershell prolog pseudo pseudocode r racket rb rs ruby rust scala scheme
    sh shell sql swift tex text toml ts tsx txt typescript vb vba verilog vhdl xml yaml yml zig zsh
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Fenced:
    """A fenced block: the word behind its opening fence, its text, and its place in the answer."""

    language: str
    text: str
    start: int = 0
    end: int = 0

    def is_foreign(self, language: Language) -> bool:
        """Whether the fence says that this is another language, or none."""
        word = self.language.strip("{}.").partition("{")[0]
        return word in _OTHER_TAGS or any(
            word in words for own, words in _TAGS.items() if own != language
        )


def find_fences(text: str) -> list[re.Match[str]]:
    """Finds every fence of a text, opening and closing ones alike."""
    return list(_FENCE.finditer(text))


def list_blocks(text: str) -> list[Fenced]:
    """Lists the fenced blocks of a clean answer."""
    return take_blocks(text, find_fences(text))


def take_blocks(text: str, fences: Sequence[re.Match[str]]) -> list[Fenced]:
    """Takes the fenced blocks between these fences; one that is never closed runs to the end."""
    blocks: list[Fenced] = []
    place, deep = 0, False
    while place < len(fences):
        opening, closing = fences[place], _find_closing(fences, place, deep)
        closing = closing and _find_early(text, fences, place, closing)
        if closing is None and not deep:
            deep = True  # nothing from here on is closed as it should be
        elif closing is None:
            blocks.append(_take_block(text, opening, len(text), len(text)))
            break
        else:
            found = fences[closing]
            blocks.append(_take_block(text, opening, found.start(), found.end()))
            place = closing + 1
    return blocks


def _find_closing(fences: Sequence[re.Match[str]], place: int, deep: bool) -> int | None:
    """Finds the fence that closes one, as CommonMark has it; None for none.

    A deeper one belongs to the block, as in a docstring, but where the next block begins before
    one closes.

    Args:
        deep: whether deeper ones close too.
    """
    opening = fences[place]
    deepest = _measure_indent(opening) + _DEEPER
    deeper: int | None = None
    for number in range(place + 1, len(fences)):
        fence = fences[number]
        inside = _measure_indent(fence) > deepest
        if fence["info"].strip():
            if deeper is not None and not inside:
                return deeper
        elif fence["ticks"].startswith(opening["ticks"]):
            if deep or not inside:
                return number
            deeper = number if deeper is None else deeper
    return None


def _find_early(text: str, fences: Sequence[re.Match[str]], place: int, closing: int) -> int:
    """Finds the deeper fence that closes a block of Python, where prose follows; else `closing`.

    Up to a fence in a docstring it is no Python, and with what follows it is.
    """
    opening, middle = fences[place], range(place + 1, closing)
    same = (n for n in middle if fences[n]["ticks"].startswith(opening["ticks"]))
    early = next((n for n in same if not fences[n]["info"].strip()), closing)
    if early == closing or is_python(_take_block(text, opening, fences[closing].start(), 0).text):
        return closing
    block = _take_block(text, opening, fences[early].start(), 0)
    return early if block.text.strip() and is_python(block.text) else closing


def _measure_indent(fence: re.Match[str]) -> int:
    return len(fence["indent"].expandtabs(4))


def _take_block(text: str, opening: re.Match[str], end: int, after: int) -> Fenced:
    """Takes a block without the indent of its fence (a fence may be part of a list item)."""
    indent = opening["indent"]
    lines = text[opening.end() + 1 : end].split("\n")
    words = opening["info"].lower().split()
    code = "\n".join(line.removeprefix(indent) for line in lines)
    return Fenced(words[0] if words else "", code, opening.start(), after)
