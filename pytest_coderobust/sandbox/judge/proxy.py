"""Proxy that trusted tests call: arguments go to the candidate, plain data comes back."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Iterator
from reprlib import Repr
from typing import Any

from pytest_coderobust.sandbox.cage.encoder import Encoder
from pytest_coderobust.sandbox.cage.vocabulary import overwrite as overwrite_library
from pytest_coderobust.sandbox.cage.wire import decode
from pytest_coderobust.sandbox.judge.outcome import (
    CandidateError,
    CandidateExit,
    UnsendableError,
    UnsplittableAttributeError,
    UnsplittableError,
)

Ask = Callable[[Any], Any]


class ShownCall(Repr):
    """Short texts of values, the same in every process: an iterator's own text has its address."""

    def repr_list_iterator(self, value: Iterator[Any], level: int) -> str:
        return f"iter({self.repr_list([*value], level)})"


class Proxy:
    """Looks like the candidate's function to the tests.

    Args:
        ask: sends one call and returns the reply, both as tagged values; raises
            CandidateGone when there is nobody to answer.
    """

    def __init__(self, name: str, ask: Ask) -> None:
        self.__name__ = self.__qualname__ = name
        self._ask = ask
        self._call: Any = None
        self._reply: Any = None

    def __getattr__(self, name: str) -> Any:
        raise UnsplittableAttributeError(f"the tests read {name!r} of the function")

    def called(self) -> str:
        """Describes the last call that was answered: "f(3) returned 5"; "" before any."""
        if self._reply is None:
            return ""
        shown = ShownCall()
        shown.maxstring = shown.maxother = shown.maxlong = 100
        given = [shown.repr(decode(arg)) for arg in self._call["args"]]
        named = decode(self._call.get("kwargs", {"dict": []})).items()
        given += [f"{name}={shown.repr(value)}" for name, value in named]
        value = shown.repr(decode(self._reply.get("value")))
        return " ".join(f"{self.__name__}({', '.join(given)}) returned {value}".split())

    def lost(self) -> str:
        """Names the type in the last answer that did not come as what it is; "" for none."""
        name = "" if self._reply is None else str(self._reply.get("lost", ""))[:200]
        return name if name.isprintable() else ascii(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        encoder = Encoder()
        call: dict[str, Any] = {"args": [encoder.encode(arg) for arg in args]}
        if kwargs:
            call["kwargs"] = encoder.encode(kwargs)
        if encoder.opaque:
            raise UnsplittableError(f"the tests pass a value of type {encoder.opaque[0]}")
        self._reply = None
        reply = self._ask(call)
        if "args" in reply:
            for given, after in zip(args, reply["args"], strict=False):
                overwrite(given, decode(after))
        if "unsendable" in reply:
            raise UnsendableError(str(reply["unsendable"]))
        if "raised" in reply:
            raise rebuild(reply["raised"])
        self._call, self._reply = call, reply
        return decode(reply.get("value"))


def overwrite(given: Any, after: Any) -> None:
    """Makes a caller's container hold what the candidate left in it, nested ones in place."""
    if type(given) is not type(after):
        return
    if type(given) is list:
        # Items that both have are merged, so that an inner list which the tests hold stays itself.
        given[:] = [_merge(old, new) for old, new in zip(given, after, strict=False)] + after[
            len(given) :
        ]
    elif type(given) is dict:
        merged = {key: _merge(given.get(key), new) for key, new in after.items()}
        given.clear()
        given.update(merged)
    elif type(given) is set:
        given.clear()
        given.update(after)
    elif isinstance(given, (bytearray, deque)):
        given.clear()
        given.extend(after)
    elif type(given) is tuple:
        for old, new in zip(given, after, strict=False):
            overwrite(old, new)
    else:
        overwrite_library(given, after)


def _merge(old: Any, new: Any) -> Any:
    """Returns the old container where it can take the new content, else the new value."""
    if type(old) is type(new) and type(old) in (list, dict, set):
        overwrite(old, new)
        return old
    return old if overwrite_library(old, new) else new


def rebuild(raised: Any) -> BaseException:
    """Makes the builtin exception nearest to the candidate's, marked as its own."""
    kinds = [str(kind) for kind in raised.get("kinds", ())]
    text = str(raised.get("text", ""))
    for kind in kinds:
        base = getattr(builtins, kind, None)
        if isinstance(base, type) and issubclass(base, Exception) and base is not ExceptionGroup_:
            return _mark(base, kinds[0], text)
    return CandidateExit(f"{kinds[0][:80] if kinds else 'unknown'}: {text}")


def _mark(base: type[Exception], name: str, text: str) -> BaseException:
    name = name[:80] if name.isidentifier() else base.__name__
    made: Any = type(name, (base, CandidateError), {"__str__": Exception.__str__})
    # Some constructors ask for more than a message; `__new__` alone asks for nothing.
    error = made.__new__(made)
    assert isinstance(error, BaseException)
    error.args = (text,)
    return error


ExceptionGroup_ = getattr(builtins, "ExceptionGroup", None)
