"""Canaries: fixed prompts whose answers tell whether the same model still answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_coderobust.errors import ConfigError

TOKENS = 48
"""Tokens of an answer to a canary."""

SHORT_TOKENS = 8
"""Tokens of an answer that only finds replicas."""

MOST_OWN = 64
"""Prompts that a file of canaries may have: each is asked at every look."""


OF_SUITE = "own prompt"
"""Name of the canaries that are the first prompts of suites."""


@dataclass(frozen=True, slots=True)
class Canary:
    """One prompt that watches over a model.

    Attributes:
        language: of its code, for a template that names it.
    """

    name: str
    prompt: str
    language: str = "python"

    @property
    def of_suite(self) -> bool:
        """Whether it is the first prompt of some suite."""
        return self.name == OF_SUITE


@dataclass(frozen=True, slots=True)
class CanaryToken:
    """One token of an answer.

    Attributes:
        logprob: its natural logarithm of probability; None where the server left it out.
        rivals: the most likely tokens at this place, itself perhaps among them, with theirs.
    """

    text: str
    logprob: float | None = None
    rivals: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class CanaryAnswer:
    """An answer to a canary; `tokens` is empty where the server gives no log-probabilities."""

    text: str
    tokens: tuple[CanaryToken, ...] = ()

    @property
    def has_logprobs(self) -> bool:
        return any(token.logprob is not None for token in self.tokens)


CANARIES = (
    Canary(
        "code",
        "def median(values):\n"
        '    """Return the middle value of a list of numbers, or the mean of the two middle ones.\n'
        '    """\n'
        "    ordered = sorted(values)\n",
    ),
    Canary(
        "prose",
        "The old lighthouse keeper closed the door behind him, looked out over the grey water and "
        "said to the boy:",
    ),
    Canary("digits", "3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, "),
    Canary("unicode", "# Grüße, мир, 世界, مرحبا, 👋\ngreetings = {'de': 'Grüße', 'ru': '"),
    Canary(
        "long",
        "class Account:\n"
        '    """A bank account that keeps a history of its movements."""\n\n'
        "    def __init__(self, owner, balance=0):\n"
        "        self.owner = owner\n"
        "        self.balance = balance\n"
        "        self.history = []\n\n"
        "    def deposit(self, amount):\n"
        "        if amount <= 0:\n"
        "            raise ValueError('amount must be positive')\n"
        "        self.balance += amount\n"
        "        self.history.append(('deposit', amount))\n"
        "        return self.balance\n\n"
        "    def withdraw(self, amount):\n",
    ),
)
"""The canaries that every model is asked; the suite's own first prompt joins them."""


def list_wanted(canaries: Sequence[Canary], own: Sequence[tuple[str, str]]) -> tuple[Canary, ...]:
    """Lists the canaries of a session: the lasting ones, and its suites' first prompts.

    Args:
        own: each prompt with the language of its code.
    """
    return (*canaries, *(Canary(OF_SUITE, *each) for each in own))


def read_canaries(path: Path) -> tuple[Canary, ...]:
    """Reads further canaries: prompts that are separated by lines of three dashes.

    Raises:
        ConfigError: the file cannot be read, has no prompt, or too many.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"canary {path}: cannot be read: {error}") from None
    parts = [part.strip("\n") for part in _split(text.splitlines())]
    prompts = list(dict.fromkeys(part for part in parts if part.strip()))
    if not prompts or len(prompts) > MOST_OWN:
        raise ConfigError(
            f"canary {path}: has {len(prompts)} prompts; it must have 1 to {MOST_OWN}, with lines "
            "of '---' between them"
        )
    return tuple(Canary(f"{path.name}:{place}", each) for place, each in enumerate(prompts, 1))


def _split(lines: Sequence[str]) -> list[str]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.strip() == "---":
            parts.append([])
        else:
            parts[-1].append(line)
    return ["\n".join(part) for part in parts]
