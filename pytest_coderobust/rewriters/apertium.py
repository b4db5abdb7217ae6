"""Back-translation through Apertium, a rule-based translator that runs without a network.

Debian's package `apertium-eng-spa` brings English and Spanish. Protected spans are fenced
(`<apertium-notrans>`), so that identifiers, numbers and quoted text survive. Lossy all the same:
its English is poor ("prime" may come back as "first"), which the report of a suite says.
GPL, hence a process of its own.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.records import digest
from pytest_coderobust.rewriters.rewriter import Paragraph

ENGLISH = "eng"
_SECONDS = 600
_ITEM = re.compile(r'<p id="(\d+)">(.*?)</p>', re.DOTALL)
_TAG = re.compile(r"</?apertium-notrans>")
_END = re.compile(r"[.!?]?\s*$")


class Apertium:
    """English to a pivot language and back.

    Args:
        pivot: the other language as Apertium calls it ("spa").
    """

    batched = True
    seeded = False

    def __init__(self, pivot: str) -> None:
        self.pairs = (f"{ENGLISH}-{pivot}", f"{pivot}-{ENGLISH}")

    @property
    def digest(self) -> str:
        """The content of the compiled language data."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        import hashlib

        folders = {path.parent for pair in self.pairs for path in _data(pair)}
        files = sorted(file for folder in folders for file in folder.iterdir() if file.is_file())
        return digest(
            "apertium", self.pairs, [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]
        )

    def rewrite(self, paragraphs: Sequence[Paragraph]) -> list[str]:
        if not paragraphs:
            return []
        text = "\n".join(
            f'<p id="{number}">{_fence(each)}</p>' for number, each in enumerate(paragraphs)
        )
        for pair in self.pairs:
            text = _translate(pair, text)
        found = {int(number): answer for number, answer in _ITEM.findall(text)}
        if sorted(found) != list(range(len(paragraphs))):
            raise ModelError(
                f"apertium {self.pairs[0]} gave back {len(found)} of {len(paragraphs)} paragraphs"
            )
        return [_to_plain(found[number], each.text) for number, each in enumerate(paragraphs)]


def check_apertium(pivot: str, where: str) -> None:
    """Checks that both directions are installed; translates nothing.

    Raises:
        UsageError: names the package that is missing.
    """
    package = f"apertium-{ENGLISH}-{pivot}"
    if shutil.which("apertium") is None:
        raise UsageError(f"{where}: apertium is not installed; get it with: apt install {package}")
    known = set(_list_pairs())
    for pair in (f"{ENGLISH}-{pivot}", f"{pivot}-{ENGLISH}"):
        if pair not in known:
            raise UsageError(
                f"{where}: apertium cannot translate {pair} (it can: {', '.join(sorted(known))}); "
                f"get it with: apt install {package}"
            )


def _list_pairs() -> Iterator[str]:
    done = subprocess.run(
        ["apertium", "-l"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    yield from done.stdout.split()


def _data(pair: str) -> Iterator[Path]:
    """The compiled data that a pair's mode file names."""
    program = shutil.which("apertium")
    assert program is not None, "check_apertium() said so"
    mode = Path(program).parent.parent / "share" / "apertium" / "modes" / f"{pair}.mode"
    try:
        text = mode.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"apertium's mode {pair} cannot be read: {error}") from None
    for name in re.findall(r"'?(/[^\s']+)'?", text):
        if Path(name).is_file():
            yield Path(name)


def _fence(paragraph: Paragraph) -> str:
    """The paragraph as HTML whose protected spans are marked as not to be translated."""
    pieces: list[str] = []
    end = 0
    for start, stop in paragraph.protected:
        pieces.append(html.escape(paragraph.text[end:start], quote=False))
        kept = html.escape(paragraph.text[start:stop], quote=False)
        pieces.append(f"<apertium-notrans>{kept}</apertium-notrans>")
        end = stop
    pieces.append(html.escape(paragraph.text[end:], quote=False))
    return "".join(pieces)


def _to_plain(answer: str, asked: str) -> str:
    """The answer as text on one line, ending as the question ended: Apertium adds full stops."""
    text = " ".join(html.unescape(_TAG.sub("", answer)).split())
    ending = _END.search(asked)
    return _END.sub("", text) + (ending.group().strip() if ending else "")


def _translate(pair: str, text: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the pair is letters that the suite's reader checked
            ["apertium", "-u", "-f", "html", pair],  # noqa: S607
            input=text,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"apertium {pair} cannot be run: {error}") from None
    if done.returncode:
        said = done.stderr.strip().partition("\n")[0]
        raise ModelError(f"apertium {pair} ended with status {done.returncode}: {said}")
    return done.stdout
