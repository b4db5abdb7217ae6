"""Reports with evidence, built in a real ledger from a small table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pytest_coderobust.ledger import Ledger
from pytest_coderobust.records import CLEAN, Completion, Level, ModelIdentity, Verdict
from pytest_coderobust.results.conclusion import Origin, SuiteReport, conclude
from support.metrics_runs import Outcome, result_of, suite_run

CLEAN_PROMPT = 'def f(x):\n    """Return the number that was given."""\n'

HOSTILE = (
    "</script><img src=x onerror=\"document.title='pwned'\"><!-- <script>document.title='pwned'</script>",
    "[bold red]rich[/bold red] [link=https://evil.test]x[/link]",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \u202e \x9b2J",
    "```\n````\n# heading\n| a | b |\n|---|---|\n~~~\n<details>",
    "a\x00b",
    "lone \ud800 and \udfff",
    "1" * 1_000_000,
    "{{ 7 * 7 }} {% raw %} ${7*7} $(touch pwned) `id` @someone #1 & &lt; ' \"",
)


def make_report(
    folder: Path,
    table: Mapping[str, Mapping[str, Outcome]],
    texts: Mapping[str, str] | None = None,
    *gates: object,
    model: str = "tiny",
    detail: str = "AssertionError in: assert f(1) == 2; f(1) returned 3",
    prompt: str = CLEAN_PROMPT,
    digest: str = "run",
    levels: Mapping[str, str] | None = None,
) -> SuiteReport:
    """A concluded run.

    Args:
        texts: what the model wrote for each task's perturbed prompts.
        digest: the run's, and of another run than the usual one the model's as well.
    """
    ledger = Ledger(folder / "ledger.sqlite")
    weights = "0123456789abcdef" if digest == "run" else digest
    identity = ModelIdentity(model, weights, {"dtype": "float32"})
    run = suite_run(table, model=identity, levels=levels)
    for place, o in enumerate(run.observations):
        keys: list[str] = []
        for sample in range(o.n):
            key = f"{digest}.{place}.{sample}"
            text = (texts or {}).get(o.task_id, "    return 3\n")
            text = "    return x\n" if o.cell.is_clean else text
            good = sample < o.c
            verdict = (
                Verdict(Level.FULL, 3, 3)
                if good
                else Verdict(Level.PARTIAL, 1, 3, "wrong-answer", detail)
            )
            ledger.add_completions({key: Completion(text, "eos", 5)})
            ledger.add_verdicts({key: verdict})
            keys.append(key)
        shown = prompt if o.cell.perturbation == CLEAN else prompt.replace("number", "nubmer")
        ledger.observe(digest, o, prompt=shown, completions=keys, verdicts=keys)
    origin = Origin("toy.toml", (f"--coderobust-model={model}",), {"python": "3.11"})
    return conclude(ledger, digest, result_of(run, *gates), origin)


def hostile_report(folder: Path) -> SuiteReport:
    """A run in which ids, prompts, completions, details and the model's name are hostile."""
    ids = [f"T/{place} {text.splitlines()[0][:120]}" for place, text in enumerate(HOSTILE)]
    ids = [name.encode("ascii", "backslashreplace").decode() for name in ids if name.isprintable()]
    ids += [f"T/plain-{place}" for place in range(len(HOSTILE) - len(ids))]
    table: dict[str, dict[str, Outcome]] = {name: {"clean": 1, "C1-s0": 0} for name in ids}
    made = make_report(
        folder,
        table,
        dict(zip(ids, HOSTILE, strict=True)),
        "rd[C1] <= 0.15",
        model=HOSTILE[0] + HOSTILE[2],
        detail="".join(text[:100] for text in HOSTILE),
        prompt=CLEAN_PROMPT + "".join(text[:3000] for text in HOSTILE),
    )
    run = replace(made.run, suite=HOSTILE[0], notes=HOSTILE, incomplete="")
    return replace(made, result=replace(made.result, run=run))
