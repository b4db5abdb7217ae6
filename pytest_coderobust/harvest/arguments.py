"""Arguments of a function by its signature: from recorded names to a call, and drawn anew."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, get_type_hints

from hypothesis import strategies as st

from pytest_coderobust.harvest.cases import HarvestCall
from pytest_coderobust.harvest.drawing import Strategy, strategy_like, strategy_of_type
from pytest_coderobust.harvest.objects import HarvestOriginal
from pytest_coderobust.harvest.recorder import NotPlainError, encode
from pytest_coderobust.sandbox.cage.wire import decode

Named = dict[str, Any]
"""Values by parameter; those of `*args` are a list under "*", `**kwargs` a mapping under "**".

The state of the object whose method is called is under "@", and stays tagged.
"""
REST, EXTRA, STATE = "*", "**", "@"
SPECIAL = (REST, EXTRA, STATE)


class HarvestSignature:
    """The parameters of a function that has a signature; of a method, those behind `self`."""

    def __init__(self, original: HarvestOriginal) -> None:
        function = original.function
        parameters = list(inspect.signature(function).parameters.values())
        parameters = parameters if original.owner is None else parameters[1:]
        self.plain = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        self.takes_rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.usual = _tag_defaults(self.plain)
        self.hints = _read_hints(function)

    def make_call(self, named: Mapping[str, Any]) -> HarvestCall:
        """Makes a call of tagged values by parameter, without those that equal the default.

        Raises:
            NotPlainError: a value that must be written is a default that is no plain data.
        """
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        by_name = False
        rest = named.get(REST) or []
        for each in self.plain:
            if each.name not in named:
                by_name = True
                if rest and each.kind is not each.KEYWORD_ONLY:
                    args.append(self._need_default(each.name))
            elif each.kind is each.KEYWORD_ONLY or (by_name and not rest):
                kwargs[each.name] = named[each.name]
            else:
                args.append(named[each.name])
        kwargs.update(named.get(EXTRA) or {})
        call = self._shorten(HarvestCall((*args, *rest), kwargs), bool(rest))
        return HarvestCall(call.args, call.kwargs, named.get(STATE))

    def _need_default(self, name: str) -> Any:
        if name not in self.usual:
            raise NotPlainError(f"the default of {name}")
        return self.usual[name]

    def _shorten(self, call: HarvestCall, has_rest: bool) -> HarvestCall:
        """Leaves out arguments that are the default, where none that stays moves by that."""
        names = [each.name for each in self.plain]
        kwargs = {
            name: value
            for name, value in call.kwargs.items()
            if name not in self.usual or repr(self.usual[name]) != repr(value)
        }
        args = list(call.args)
        while args and not has_rest:
            name = names[len(args) - 1]
            if name not in self.usual or repr(self.usual[name]) != repr(args[-1]):
                break
            args.pop()
        return HarvestCall(tuple(args), kwargs)

    def make_strategy(self, seen: Sequence[Named]) -> Strategy | None:
        """Makes a strategy of named values; None where a parameter that must be is of unknown kind.

        Args:
            seen: decoded values of recorded calls.
        """
        needed: dict[str, Strategy] = {}
        maybe: dict[str, Strategy] = {}
        for each in self.plain:
            strategy = self._find_strategy(each, seen)
            if strategy is None and each.default is each.empty:
                return None
            if strategy is not None:
                (needed if each.default is each.empty else maybe)[each.name] = strategy
        rests = [item for named in seen for item in named.get(REST, ())]
        if rests:
            needed[REST] = st.lists(strategy_like(rests), max_size=4)
        states = [named[STATE] for named in seen if STATE in named]
        if states:
            needed[STATE] = _mix_states(states)
        free = st.fixed_dictionaries(needed, optional=maybe)
        if not seen:
            return free
        return st.one_of(free, _vary(seen, {**needed, **maybe}))

    def _find_strategy(self, each: inspect.Parameter, seen: Sequence[Named]) -> Strategy | None:
        made: list[Strategy] = []
        values = [named[each.name] for named in seen if each.name in named]
        if each.name in self.usual:
            values.append(decode(self.usual[each.name]))
        if values:
            made.append(strategy_like(values))
        hint = self.hints.get(each.name)
        by_type = strategy_of_type(hint) if hint is not None else None
        if by_type is not None:
            made.append(by_type)
        return st.one_of(made) if made else None


def _mix_states(states: Sequence[Named]) -> Strategy:
    """Recorded states, some with one or two attributes of another one."""
    pair = st.tuples(st.sampled_from(states), st.sampled_from(states))
    names = sorted({name for each in states for name in each})
    if not names:
        return st.sampled_from(states)
    return st.tuples(pair, st.lists(st.sampled_from(names), max_size=2)).map(
        lambda drawn: {
            **drawn[0][0],
            **{name: drawn[0][1][name] for name in drawn[1] if name in drawn[0][1]},
        }
    )


def _vary(seen: Sequence[Named], strategies: Mapping[str, Strategy]) -> Strategy:
    """Recorded calls in which one or two values are drawn anew."""
    if not strategies:
        return st.sampled_from(seen)
    one = st.sampled_from(sorted(strategies)).flatmap(
        lambda name: st.tuples(st.just(name), strategies[name])
    )
    changes = st.lists(one, max_size=2).map(dict[str, Any])
    return st.tuples(st.sampled_from(seen), changes).map(lambda pair: {**pair[0], **pair[1]})


def _read_hints(function: Any) -> Mapping[str, Any]:
    try:
        return get_type_hints(inspect.unwrap(function))
    except Exception:  # noqa: BLE001  an annotation may be any expression
        return {}


def _tag_defaults(parameters: Sequence[inspect.Parameter]) -> Named:
    """The tagged defaults that are plain data, by parameter."""
    found: Named = {}
    for each in parameters:
        if each.default is not each.empty:
            with suppress(NotPlainError):
                found[each.name] = encode(each.default)
    return found


def read_seen(seen: Mapping[str, Any]) -> Named:
    """Makes tagged values by parameter of a recorded call."""
    found: Named = dict(seen["named"])
    if seen["rest"]:
        found[REST] = list(seen["rest"])
    if seen["extra"]:
        found[EXTRA] = dict(seen["extra"])
    if "state" in seen:
        found[STATE] = dict(seen["state"])
    return found


def decode_named(named: Named) -> Named:
    """Decodes tagged values by parameter, afresh."""
    found = {name: decode(value) for name, value in named.items() if name not in SPECIAL}
    if STATE in named:
        found[STATE] = named[STATE]
    if REST in named:
        found[REST] = [decode(value) for value in named[REST]]
    if EXTRA in named:
        found[EXTRA] = {name: decode(value) for name, value in named[EXTRA].items()}
    return found


def encode_named(named: Named) -> Named:
    """Tags values by parameter. Raises NotPlainError."""
    found = {name: encode(value) for name, value in named.items() if name not in SPECIAL}
    if STATE in named:
        found[STATE] = named[STATE]
    if named.get(REST):
        found[REST] = [encode(value) for value in named[REST]]
    if named.get(EXTRA):
        found[EXTRA] = {name: encode(value) for name, value in named[EXTRA].items()}
    return found
