"""Processor threads that torch uses while a model runs.

Torch takes a thread for each core. The operations of a small model last microseconds, and the
threads spend their time waiting for one another: with other work on the same cores, two threads are
ten to fifty times slower than one. So generation times the model's own passes and takes what is
fastest here and now. Results move with the number of threads by the rounding of sums alone; a model
whose answers are recorded to the digit has the number that they were made with (decision 020).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from pytest_coderobust.models.thread_choice import ThreadChoice
from pytest_coderobust.models.watch import GenerationWatch

SMALL_MODEL = 100_000_000
"""Parameters below which one thread is best where nothing is timed."""

TIMED_FROM = 1_000_000
"""Parameters from which generation is timed; below, a layer's pass is over before threads meet."""


@contextmanager
def torch_threads(count: int | None) -> Generator[None]:
    """Context in which torch runs with `count` threads; None changes nothing."""
    import torch

    if count is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def sensible_threads(asked: int | None, parameters: int, device: str) -> int | None:
    """Chooses a number of threads without timing, for edits, which must come out the same again.

    It is the user's, 1 for a small model, else None (torch's own).
    """
    if asked is not None:
        return asked
    return 1 if device == "cpu" and parameters < SMALL_MODEL else None


class GenerationThreads:
    """The threads of one model's generation: the user's, the model's own, else timed.

    Args:
        recorded: threads that the model's recorded answers were made with, on a processor.
        clock: tells seconds.
    """

    def __init__(
        self,
        asked: int | None,
        parameters: int,
        device: str,
        clock: Callable[[], float] = time.perf_counter,
        *,
        recorded: int | None = None,
    ) -> None:
        self._asked = asked
        small = 1 if parameters < TIMED_FROM else None
        self._fixed = (recorded or small) if device == "cpu" else None
        # On an accelerator the end of a layer's pass is not known, and reading is short.
        self._followed = device == "cpu" and self._fixed is None
        self._may_time = asked is None and self._followed
        self._clock = clock
        self._timer: ThreadTimer | None = None

    @contextmanager
    def running(self, model: Any, watch: GenerationWatch) -> Generator[None]:
        """Context in which the model generates; the watch hears of reading and of the threads."""
        import torch

        limit = torch.get_num_threads()
        if self._may_time and self._timer is None and limit > 1:
            self._timer = ThreadTimer(limit, self._clock)
        count = self._asked or (limit if self._timer else self._fixed)
        layers = find_layers(model) if self._followed else []
        follower = _LayerFollower(layers, watch, self._timer)
        with torch_threads(count), follower.following():
            yield
        watch.ran(self.describe())

    def describe(self) -> str:
        """Describes the threads and who chose them; "" where torch did, or none are used."""
        if self._asked is not None:
            return f"{self._asked} (asked for)"
        if self._timer is not None:
            return self._timer.describe()
        return f"{self._fixed} (small model)" if self._fixed is not None else ""


class ThreadTimer:
    """Sets torch's threads before each pass of a layer: one choice for reading, one for writing."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._reading, self._writing = ThreadChoice(limit), ThreadChoice(limit)
        self._choice = self._reading
        self._began = 0.0

    def begin(self, rows: int, width: int) -> None:
        """Sets the threads of the pass that begins."""
        import torch

        self._choice = self._reading if width > 1 else self._writing
        count = self._choice.choose(rows * width, self._clock())
        # Torch is asked, and not a note of ours, because anything else may have set it.
        if count != torch.get_num_threads():
            torch.set_num_threads(count)
        self._began = self._clock()

    def end(self) -> None:
        """Records the pass that ends."""
        now = self._clock()
        self._choice.record(now - self._began, now)

    def describe(self) -> str:
        """Describes the latest choices: "1 of 2 (timed)", "2 reading, 1 writing, of 2 (timed)"."""
        reading, writing = self._reading.chosen, self._writing.chosen
        found = {count for count in (reading, writing) if count is not None}
        if not found:
            return ""
        if len(found) == 1:
            return f"{found.pop()} of {self._limit} (timed)"
        return f"{reading} reading, {writing} writing, of {self._limit} (timed)"


class _LayerFollower:
    """Hooks of a network's layers, for as long as it generates."""

    def __init__(
        self, layers: Sequence[Any], watch: GenerationWatch, timer: ThreadTimer | None
    ) -> None:
        self._layers = layers
        self._watch = watch
        self._timer = timer
        self._reading = False
        self._read = 0

    @contextmanager
    def following(self) -> Generator[None]:
        """Context in which the passes of the layers are followed."""
        hooks: list[Any] = []
        try:
            for layer in self._layers:
                hooks.append(layer.register_forward_pre_hook(self._begin, with_kwargs=True))
                hooks.append(layer.register_forward_hook(self._end))
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _begin(self, _layer: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        tensors = (each for each in (*given, *named.values()) if getattr(each, "ndim", 0) >= 2)
        rows, width = next(tensors).shape[:2]
        self._reading = width > 1
        if self._timer is not None:
            self._timer.begin(rows, width)

    def _end(self, _layer: Any, _given: Any, _found: Any) -> None:
        if self._timer is not None:
            self._timer.end()
        if self._reading:
            self._read = self._read % len(self._layers) + 1
            self._watch.read(self._read / len(self._layers))


def find_layers(model: Any) -> list[Any]:
    """Finds a network's layers, which do equal work; the network itself where none are seen."""
    from torch.nn import ModuleList

    depth = getattr(model.config, "num_hidden_layers", None)
    stacks = (part for part in model.modules() if isinstance(part, ModuleList))
    return list(next((stack for stack in stacks if len(stack) == depth), [model]))
