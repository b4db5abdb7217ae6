"""The exceptions this package raises, as one tree.

    CodeRobustError
    ├── UsageError            the user asked for something that cannot be: exit status 4
    │   ├── ConfigError       a key or value in a TOML file or an option is wrong
    │   ├── UnknownName       a name is in no registry; the message offers the nearest one
    │   └── MissingExtra      an optional dependency is not installed
    ├── DataError             a file of tasks, completions or variants cannot be read
    ├── ModelError            a model cannot be found, loaded or run
    │   ├── EditRefused       an editor does not edit for a request, which says nothing of others
    │   └── MemoryExhausted   memory does not suffice, which may be so now and not later
    ├── LedgerError           the results store cannot be used
    └── SandboxError          the harness, not the candidate, went wrong: never a verdict

Every message is one clear sentence: what is wrong, where, the value, the nearest valid choice.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class CodeRobustError(Exception):
    """Anything this package raises on purpose."""


class UsageError(CodeRobustError):
    """The request itself cannot be met."""


class ConfigError(UsageError):
    """A key or a value in a configuration file or an option is wrong."""


class UnknownName(UsageError):
    """A name that no registry holds.

    Args:
        kind: what was looked up, as a noun ("model", "perturbation").
        name: the name that was asked for.
        known: every valid name.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str = "") -> None:
        self.name = name
        super().__init__(f"{where}unknown {kind} {name!r}{nearest(name, known)}")


class MissingExtra(UsageError):
    """An optional dependency is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        install = f"pip install 'pytest-coderobust[{extra}]'"
        super().__init__(f"{feature} needs the optional extra {extra!r}: {install}")


class DataError(CodeRobustError):
    """A file of tasks, completions or variants cannot be used."""


class ModelError(CodeRobustError):
    """A model cannot be found, loaded or run."""


class EditRefused(ModelError):
    """An editor does not edit for a request; the model is as it was, and other requests may do.

    Args:
        profile: how much each layer restores, where the editor looked for a layer in vain.
    """

    def __init__(self, message: str, profile: Iterable[float] = ()) -> None:
        self.profile = tuple(profile)
        super().__init__(message)


class MemoryExhausted(ModelError):
    """Memory does not suffice to run or edit a model; nothing else is known, so nothing is kept."""


class LedgerError(CodeRobustError):
    """The results store cannot be used."""


class SandboxError(CodeRobustError):
    """The harness went wrong; nothing is known about the candidate."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The tail of a sentence that offers what `name` may have meant, then every choice."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{hint} (valid: {', '.join(map(show_name, names))})" if names else hint


def show_name(name: str) -> str:
    """A name as a sentence shows it: what does not print is written out."""
    return name if name.isprintable() else repr(name)
