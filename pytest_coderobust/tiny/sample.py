"""Samples: one task as text, with the prompt that a model sees and the body that answers it."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Template

from pytest_coderobust.tiny.family import Composition
from pytest_coderobust.tiny.lexicon import FUNCTIONS, NAMES, REMARKS, SECOND_NAMES
from pytest_coderobust.tiny.phrasing import Sentence, phrase
from pytest_coderobust.tiny.values import KINDS, Value

_WIDTH = 92
_LONGEST_EXAMPLE = 36
_TRIES = 60
_REMARK_SHARE = 0.4
_TWO_EXAMPLES_SHARE = 0.4

TaskFunction = Callable[..., Value]
UNDEFINED = (ValueError, IndexError, KeyError, TypeError, ArithmeticError)
"""Errors by which an answer shows that it has no value for some arguments."""


@dataclass(frozen=True, slots=True)
class TrainingSample:
    """A prompt in HumanEval's form and the body that continues it."""

    composition: Composition
    sentence: Sentence
    remark: str
    entry_point: str
    prompt: str
    answer: str


def compose(composition: Composition, rng: random.Random, unseen: bool = False) -> TrainingSample:
    """Writes a task that asks for `composition`, with words, names and examples from `rng`."""
    function = rng.choice(FUNCTIONS)
    return compose_for(composition, function, draw_names(composition, rng), rng, unseen)


def compose_for(
    composition: Composition,
    function: str,
    names: Sequence[str],
    rng: random.Random,
    unseen: bool = False,
) -> TrainingSample:
    """Writes a task whose function and arguments have their names, in words from `rng`."""
    sentence = phrase(composition, names, rng, unseen)
    remark = rng.choice(REMARKS) if rng.random() < _REMARK_SHARE else ""
    answer = write_answer(composition, function, names)
    head = f"def {function}({', '.join(names)}):\n"
    shown = 2 if rng.random() < _TWO_EXAMPLES_SHARE else 1
    examples = _examples(composition, load(head + answer, function), function, shown, rng)
    prose = sentence.text + (f" {remark[0].upper()}{remark[1:]}" if remark else "")
    lines = textwrap.wrap(f'    """{prose}', _WIDTH, subsequent_indent="    ",
                          break_long_words=False, break_on_hyphens=False)  # fmt: skip
    prompt = "\n".join((head.rstrip(), *lines, *examples, '    """', ""))
    return TrainingSample(composition, sentence, remark, function, prompt, answer)


def load(source: str, entry_point: str) -> TaskFunction:
    """Executes generated source, which this package wrote, and returns its function."""
    namespace: dict[str, Value] = {}
    exec(compile(source, "<family>", "exec"), namespace)  # noqa: S102 - written by this package
    function = namespace[entry_point]
    assert callable(function)
    return function


def draw_arguments(composition: Composition, rng: random.Random) -> tuple[Value, ...]:
    """Draws arguments that the composition's tests or examples may use."""
    hints = composition.hints
    return tuple(KINDS[kind].draw(rng, hints) for kind in composition.family.arguments)


def draw_names(composition: Composition, rng: random.Random) -> tuple[str, ...]:
    """Draws the names of the arguments."""
    shapes = [KINDS[kind].shape for kind in composition.family.arguments]
    pools: list[Mapping[str, Sequence[str]]] = [NAMES, SECOND_NAMES]
    return tuple(rng.choice(pool[shape]) for pool, shape in zip(pools, shapes, strict=False))


def write_answer(composition: Composition, function: str, names: Sequence[str]) -> str:
    """Writes the body that solves `composition`, indented."""
    code = {"f": function} | dict(zip("ab", names, strict=False))
    for choice in composition.choices:
        code |= choice.code
    source = textwrap.dedent(composition.family.body).strip("\n")
    while "$" in source:  # the code of a part may have slots of its own
        source = Template(source).substitute(code)
    return textwrap.indent(source, "    ") + "\n"


def _examples(
    composition: Composition, function: TaskFunction, name: str, shown: int, rng: random.Random
) -> list[str]:
    """Writes the doctest lines of `shown` short calls.

    An early try must give a short call and a value that is not empty or zero. The later tries
    accept less, so that every task has an example.
    """
    found: dict[str, str] = {}
    for attempt in range(_TRIES):
        arguments = draw_arguments(composition, rng)
        call = ", ".join(map(repr, arguments))
        try:
            value = function(*arguments)
        except UNDEFINED:
            continue
        short = max(len(call), len(repr(value))) <= _LONGEST_EXAMPLE or attempt > _TRIES // 2
        telling = value or attempt > _TRIES // 3
        if value is not None and short and telling:
            found[call] = repr(value)
        if len(found) == shown:
            break
    lines: list[str] = []
    for call, value in found.items():
        lines += (f"    >>> {name}({call})", f"    {value}")
    return lines
