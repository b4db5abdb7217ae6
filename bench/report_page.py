"""Measures the HTML report of 1,000 and of 100,000 observations: size, writing, loading, filtering.

    python bench/report_page.py [--observations 1000 100000]

Headless Chromium measures loading and filtering where it is installed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _pytest.outcomes import Skipped

from pytest_coderobust.gates import decide, parse_gate
from pytest_coderobust.ledger import Ledger
from pytest_coderobust.metrics.summary import summarise
from pytest_coderobust.records import (
    Cell,
    Completion,
    Level,
    ModelIdentity,
    Observation,
    Sampling,
    Status,
    SuiteRun,
    Verdict,
)
from pytest_coderobust.reporting.html import render
from pytest_coderobust.results.conclusion import Origin, SuiteReport, conclude
from pytest_coderobust.results.result import DecidedRun

TASKS = 164
WORDS = "return the sum of all numbers in list that are even and larger than given limit".split()  # noqa: SIM905
DETAIL = "AssertionError in: assert candidate([1, 2, 3]) == 6; f([1, 2, 3]) returned 5"


def write_text(source: random.Random, words: int) -> str:
    return "".join(
        source.choice(WORDS) + ("\n    " if place % 9 == 8 else " ") for place in range(words)
    )


def make_report(folder: Path, observations: int) -> SuiteReport:
    """Makes the report of a run whose prompts have 90 words and whose completions have 60."""
    source = random.Random(0)
    ledger = Ledger(folder / f"{observations}.sqlite")
    names = [f"P{number}" for number in range(observations // TASKS // 5 + 1)]
    cells = (Cell(), *(Cell(name, seed) for name in names for seed in range(5)))
    cells = cells[: max(2, observations // TASKS + 1)]
    tasks = tuple(f"HumanEval/{number}" for number in range(TASKS))
    prompts = {task: f'def f(x):\n    """{write_text(source, 90)}"""\n' for task in tasks}
    found: list[Observation] = []
    for cell in cells:
        for task in tasks:
            passes = source.random() < 0.6 or cell.is_clean
            status = Status.SOLVED if cell.is_clean else Status.ROBUST if passes else Status.BROKEN
            o = Observation(task, cell, status, n=1, c=int(passes), clean_n=1, clean_c=1)
            key = f"{task}{cell.label}"
            words = prompts[task].split(" ")
            for _ in range(0 if cell.is_clean else 4):
                words[source.randrange(6, len(words))] = "tpyo"
            ledger.add_completions({key: Completion(write_text(source, 60), "eos", 60)})
            verdict = (
                Verdict(Level.FULL, 7, 7)
                if passes
                else Verdict(Level.PARTIAL, 3, 7, "wrong-answer", DETAIL)
            )
            ledger.add_verdicts({key: verdict})
            ledger.observe("run", o, prompt=" ".join(words), completions=[key], verdicts=[key])
            found.append(o)
    run = SuiteRun(
        "bench", ModelIdentity("tiny", "0" * 64), Sampling(), (1,), 0.5, tasks, cells,
        {name: ("character", "word", "sentence")[place % 3] for place, name in enumerate(names)},
        tuple(found),
    )  # fmt: skip
    summary = summarise(run)
    gates = decide([parse_gate("rd <= 0.5", "bench")], summary, run)
    return conclude(ledger, "run", DecidedRun(run, summary, gates), Origin("bench.toml"))


def time_browser(page: Path) -> tuple[float, float, float, float] | None:
    """Takes the seconds to load, to open an item, to filter by text and to show every status."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.page_driver import open_browser

    try:
        browser: Any = open_browser()
    except Skipped as skipped:
        print(f"no browser: {skipped}")
        return None
    clock = "const t=performance.now(); {} ; return (performance.now()-t)/1000"
    started = time.perf_counter()
    browser.get(page.as_uri())
    load = time.perf_counter() - started
    changed = "document.getElementById('filters').dispatchEvent(new Event('input'))"
    opened = browser.execute_script(clock.format("document.querySelector('.item').click()"))
    typed = "document.getElementById('f-text').value='/99';"
    filtered = browser.execute_script(clock.format(typed + changed))
    every = "document.getElementById('f-text').value='';document.querySelectorAll('#f-status input').forEach(b=>b.checked=true);"
    shown = browser.execute_script(clock.format(every + changed))
    browser.quit()
    return load, opened, filtered, shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--observations", type=int, nargs="+", default=[1_000, 100_000])
    sizes: list[float] = []
    for observations in parser.parse_args().observations:
        with tempfile.TemporaryDirectory() as folder:
            report = make_report(Path(folder), observations)
            started = time.perf_counter()
            text = render([report])
            wrote = time.perf_counter() - started
            page = Path(folder) / "report.html"
            page.write_text(text, encoding="utf-8")
            size = page.stat().st_size / 2**20
            sizes.append(size)
            count = len(report.run.observations)
            print(f"{count:>7} observations: {size:6.2f} MiB, written in {wrote:.1f} s")
            if (seconds := time_browser(page)) is not None:
                named = zip(("load", "open an item", "filter", "show all"), seconds, strict=True)
                print("        " + ", ".join(f"{name} {each:.3f} s" for name, each in named))
    print(f"size ratio {sizes[-1] / sizes[0]:.1f}")


if __name__ == "__main__":
    main()
