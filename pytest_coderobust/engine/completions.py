"""Completions of a model: read from the ledger, or generated and stored there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from pytest_coderobust.engine.batch_watch import BatchWatch
from pytest_coderobust.engine.events import BatchStarted, Listener, RowsGenerated
from pytest_coderobust.engine.guarding import Guard
from pytest_coderobust.engine.keys import make_completion_key, make_noise_seed
from pytest_coderobust.engine.row_feed import Brake, KeyedRow
from pytest_coderobust.engine.streaming import Answer, AnswerStream
from pytest_coderobust.engine.windows import cut_batches
from pytest_coderobust.errors import ModelError
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.models.backend import Backend, is_streaming
from pytest_coderobust.models.watch import watched
from pytest_coderobust.records import Completion, Row, Sampling, Variant

CHUNK = 500
"""Completions that are read together: as many as a query takes."""

Keyed = tuple[str, Completion]
"""A completion and the key it is stored under."""


class CompletionStore:
    """The completions of one model; each is computed once.

    Args:
        tags: the opening and the closing tag of thoughts that the suite adds to the known ones.
        guard: of a served model, the session's; its own by default.
    """

    def __init__(
        self,
        backend: Backend,
        ledger: Ledger,
        listen: Listener,
        tags: tuple[str, ...] = (),
        guard: Guard | None = None,
    ) -> None:
        self.backend = backend
        self._tags = tags
        self._ledger = ledger
        self._listen = listen
        self.guard = guard or Guard(backend, ledger)
        self.run = ""
        """The run that a server's answers are booked on."""
        self.brakes: Sequence[Brake] = ()
        """Reasons for which a row that goes to a server may have to wait."""
        self.threads = ""
        """The processor threads of the latest batch and who chose them; "" where none is known."""

    def keys(self, variant: Variant, sampling: Sampling) -> list[str]:
        """The keys of a variant's n completions, in sample order."""
        return [
            make_completion_key(self.backend, variant, sampling, sample, self._tags)
            for sample in range(sampling.n)
        ]

    def stored(self, variant: Variant, sampling: Sampling) -> list[Keyed] | None:
        """A variant's n completions with their keys; None while one of them is missing."""
        return self.stored_all([variant], sampling)[0]

    def stored_all(
        self, variants: Iterable[Variant], sampling: Sampling
    ) -> list[list[Keyed] | None]:
        """Lists what `stored` gives of each variant, in order."""
        return [found for _, found in self.iterate_stored(variants, sampling)]

    def iterate_stored(
        self, variants: Iterable[Variant], sampling: Sampling
    ) -> Iterator[tuple[Variant, list[Keyed] | None]]:
        """Gives each variant with what `stored` gives of it; many are read together."""
        rest = iter(variants)
        while some := list(islice(rest, max(1, CHUNK // sampling.n))):
            keys = [self.keys(variant, sampling) for variant in some]
            found = self._ledger.completions(chain.from_iterable(keys))
            for variant, own in zip(some, keys, strict=True):
                whole = all(key in found for key in own)
                yield variant, [(key, found[key]) for key in own] if whole else None

    def missing(self, variants: Sequence[Variant], sampling: Sampling) -> int:
        """The number of these variants' completions that are not in the ledger."""
        keys = {key for variant in variants for key in self.keys(variant, sampling)}
        return len(keys) - len(self._ledger.find_completions(keys))

    def generate(
        self, variants: Sequence[Variant], sampling: Sampling
    ) -> Iterator[Sequence[Variant]]:
        """Computes what is missing, batch by batch; yields the variants of each stored batch.

        A batch with one missing row is computed whole, because greedy decoding moves with the
        rows that share a batch. Rows that were stored before are not replaced, also those that a
        killed run stored when they ended, before their batch did. A served model is sent the
        missing rows alone, side by side. The caller must hold the ledger's lease.

        Raises:
            ModelError: the model cannot be loaded or run.
        """
        if is_streaming(self.backend):
            missing = self.missing_rows(variants, sampling)
            for answers in filter(None, self.stream(missing, sampling)):
                yield list({id(each.row.variant): each.row.variant for each in answers}.values())
            return
        rows = self._rows(variants, sampling)

        def length(keyed: tuple[str, Row]) -> int:
            return self.backend.prompt_length(keyed[1].variant.prompt)

        for batch in cut_batches(rows.items(), self.backend.batch_size, length):
            if len(self._ledger.find_completions(key for key, _ in batch)) < len(batch):
                self._generate_batch(batch, sampling)
            yield list({id(row.variant): row.variant for _, row in batch}.values())

    def stream(
        self, rows: Iterable[KeyedRow], sampling: Sampling, brakes: Sequence[Brake] = ()
    ) -> Iterator[Sequence[Answer]]:
        """Sends rows to a served model; gives its answers, stored. The caller holds the lease.

        Args:
            brakes: what rows may have to wait for, besides what they always may.

        Raises:
            ModelError: the server is gone or loses rows, or another model answers.
        """
        assert is_streaming(self.backend)
        stream = AnswerStream(self.backend, self.guard, self._listen, run=self.run)
        return stream.read(rows, sampling, (*brakes, *self.brakes))

    def missing_rows(self, variants: Sequence[Variant], sampling: Sampling) -> list[KeyedRow]:
        """The rows that the ledger lacks, in the order in which a server is asked.

        The longest prompts come first, because they take longest and none should come last; the
        samples of one prompt follow one another, because a server remembers prompts.
        """
        ordered = sorted(variants, key=lambda each: -self.backend.prompt_length(each.prompt))
        rows = self._rows(ordered, sampling)
        stored = self._ledger.find_completions(rows)
        return [(key, row) for key, row in rows.items() if key not in stored]

    def _rows(self, variants: Sequence[Variant], sampling: Sampling) -> dict[str, Row]:
        return {
            key: Row(variant, sample, make_noise_seed(variant, sampling, sample), self._tags)
            for variant in variants
            for sample, key in enumerate(self.keys(variant, sampling))
        }

    def _generate_batch(self, batch: Sequence[tuple[str, Row]], sampling: Sampling) -> None:
        keys = [key for key, _ in batch]
        watch = BatchWatch(keys, self._ledger, self._listen)
        self._listen(BatchStarted(len(batch), sampling.max_new_tokens))
        with watched(watch):
            completions = self.backend.generate([row for _, row in batch], sampling)
        self.threads = watch.threads
        if len(completions) != len(batch):
            raise ModelError(
                f"{self.backend.identity.name} answered {len(completions)} of {len(batch)} rows"
            )
        self._ledger.add_completions(dict(zip(keys, completions, strict=True)))
        self._listen(RowsGenerated(len(batch), sum(each.tokens for each in completions)))
