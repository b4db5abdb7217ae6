"""Fixed numbers of threads against the timed one, in turns; the second half of bench/throughput.py."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from pytest_coderobust.engine.keys import make_noise_seed
from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.models.options import ModelOptions, ModelSpec
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.models.thread_choice import list_counts
from pytest_coderobust.models.watch import GenerationWatch, watched
from pytest_coderobust.records import Cell, Completion, Row, Sampling, Variant
from pytest_coderobust.tasks.load import load_tasks
from pytest_coderobust.tiny import checkpoint_path


@dataclass(frozen=True)
class Network:
    """A random network, and how much of the asked rows and tokens it is given.

    A batch of the small one lasts so shortly that a slice of the scheduler shows in one; it takes
    more turns. The large one reads its prompts for most of the time.
    """

    sizes: Mapping[str, int]
    share: float = 1.0
    turns: int = 1


NETWORKS = {
    "1.7 M": Network({
        "vocab_size": 1024, "hidden_size": 128, "intermediate_size": 344, "num_hidden_layers": 8,
        "num_attention_heads": 4, "num_key_value_heads": 4,
    }, turns=3),
    "135 M": Network({
        "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
        "num_attention_heads": 9, "num_key_value_heads": 3,
    }, share=0.25),
}  # fmt: skip
BAR = 0.9
"""Rate that the timed number must reach, as a share of the best fixed one."""
HOPELESS = 2.0
"""Slowness against the best of a round from which a fixed number is not asked again."""
QUIET_LOG = 15.0
"""Seconds of a window without a line in a log."""

SPIN = "while True: pass"


class FirstSign(GenerationWatch):
    """The time at which a log would get its first line, and the threads that were told."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.seconds: float | None = None
        self.threads = ""

    def read(self, share: float) -> None:  # noqa: ARG002
        self._note()

    def wrote(self, tokens: int) -> None:  # noqa: ARG002
        self._note()

    def ended(self, rows: Mapping[int, Completion]) -> None:
        pass

    def ran(self, threads: str) -> None:
        self.threads = threads

    def _note(self) -> None:
        passed = time.perf_counter() - self._began
        if self.seconds is None and passed >= QUIET_LOG:
            self.seconds = passed


def measure_threads(rows: int, tokens: int, rounds: int, busy: int) -> None:
    limit = torch.get_num_threads()
    print(f"{limit} threads at most, load {os.getloadavg()[0]:.1f} before this began")
    print(
        f"{'model':>6} {'load':>6} {'threads':>8} {'rounds':>7} {'seconds':>9} {'tokens/s':>9}  of best"
    )
    for name, network in NETWORKS.items():
        count, length = round(rows * network.share), max(round(tokens * network.share), 1)
        work = make_rows(max(count, 1), length)
        with tempfile.TemporaryDirectory() as folder:
            save_random_llama(Path(folder), network.sizes)
            for processes in (0, busy):
                with ExitStack() as until:
                    models = {
                        str(threads or "timed"): open_model(Path(folder), threads, until)
                        for threads in (*list_counts(limit), None)
                    }
                    until.enter_context(busy_processes(processes))
                    timed = take_turns(models, work, length, rounds * network.turns)
                report(f"{name:>6} {processes:>4} x", timed, len(work) * length)


@dataclass
class Timed:
    """Seconds of each round by number of threads; what a log would show first, and the choice."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    signs: list[float] = field(default_factory=list)
    told: str = ""


def take_turns(
    models: Mapping[str, HFBackend], rows: Sequence[Row], tokens: int, rounds: int
) -> Timed:
    """Lets the models generate in turns; a fixed number far from the best sits out after a round."""
    timed = Timed({threads: [] for threads in models})
    left = list(models)
    for _ in range(rounds):
        for threads in left:
            sign, start = FirstSign(), time.perf_counter()
            with watched(sign):
                answers = models[threads].generate(rows, Sampling(max_new_tokens=tokens))
            timed.seconds[threads].append(time.perf_counter() - start)
            assert len(answers) == len(rows)
            if threads == "timed":
                timed.told = sign.threads
                timed.signs += [sign.seconds] if sign.seconds is not None else []
        best = min(found[-1] for found in timed.seconds.values())
        left = [
            threads
            for threads in left
            if threads == "timed" or timed.seconds[threads][-1] < HOPELESS * best
        ]
    return timed


def report(label: str, timed: Timed, tokens: int) -> None:
    """Prints the median rate of each number of threads, and whether the timed one reaches the bar."""
    medians = {threads: median(found) for threads, found in timed.seconds.items()}
    best = min(found for threads, found in medians.items() if threads != "timed")
    for threads, found in medians.items():
        rounds = len(timed.seconds[threads])
        print(
            f"{label} {threads:>8} {rounds:>7} {found:>9.2f} {tokens / found:>9.1f}  {best / found:.2f}"
        )
    signs = timed.signs
    line = f"first line of a log after {max(signs):.0f} s" if signs else "over before a line is due"
    reached = best / medians["timed"]
    verdict = "holds" if reached >= BAR else "does not hold"
    print(
        f"{label} chosen {timed.told}: {reached:.2f} of the best fixed, bar {BAR}: {verdict}; {line}",
        flush=True,
    )


def save_random_llama(folder: Path, sizes: Mapping[str, int]) -> None:
    torch.manual_seed(0)
    config = LlamaConfig(**sizes, tie_word_embeddings=True, max_position_embeddings=2048)
    model = LlamaForCausalLM(config)
    # No end token: every row writes all its tokens, so that all numbers of threads do equal work.
    model.generation_config.eos_token_id = model.config.eos_token_id = None
    with quiet():
        model.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint_path())
    tokenizer.eos_token = None
    tokenizer.save_pretrained(folder)


def open_model(folder: Path, threads: int | None, until: ExitStack) -> HFBackend:
    options = ModelOptions(device="cpu", threads=threads, batch_size=1024)
    model = HFBackend("random", ModelSpec(id=str(folder)), options)
    until.callback(model.close)
    model.load()
    return model


def make_rows(count: int, tokens: int) -> list[Row]:
    tasks = load_tasks("quickstart", base=Path()).tasks
    variants = [Variant(task, Cell(), task.prompt) for task in (tasks * (count // len(tasks) + 1))]
    sampling = Sampling(max_new_tokens=tokens)
    return [
        Row(variant, place, make_noise_seed(variant, sampling, place))
        for place, variant in enumerate(variants[:count])
    ]


@contextmanager
def busy_processes(count: int) -> Generator[None]:
    """Context in which this many processes do nothing but compute."""
    processes = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
