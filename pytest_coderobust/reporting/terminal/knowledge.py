"""Result of a benchmark of knowledge edits, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pytest_coderobust.edit_bench.result import BenchResult
from pytest_coderobust.metrics.knowledge import ASPECTS, BoundedMean, KnowledgeMean
from pytest_coderobust.reporting.hostile import escape
from pytest_coderobust.reporting.terminal.console import print_lines
from pytest_coderobust.reporting.terminal.tables import NAME, Glyphs, choose_glyphs, make_table

TITLES = {
    "effectiveness": "effectiveness: the input is answered as told",
    "generalisation": "generalisation: so is a rewrite",
    "specificity": "specificity: neighbours are answered as before",
    "fluency": "fluency, in hundredths of a bit",
    "natural_effectiveness": "effectiveness, where the model ends by itself",
    "natural_generalisation": "generalisation, where the model ends by itself",
}
SCORES = {
    "em": "EM",
    "bleu": "BLEU",
    "rouge_l": "ROUGE-L",
    "em_all": "EM all",
    "em_each": "EM each",
    "bits": "",
}
_MB = 2**20
_REASON = 200


def render_bench(result: BenchResult, width: int, colour: bool, encoding: str) -> str:
    """Renders every table; numbers are times 100, as the papers print them."""
    glyphs = choose_glyphs(encoding)
    return print_lines(_list_parts(result, glyphs), width, colour, encoding)


def _list_parts(result: BenchResult, glyphs: Glyphs) -> Iterator[RenderableType]:
    name, training = escape(result.name, NAME), escape(result.training, NAME)
    trained = f", trained on {training}" if training else ""
    if result.swapped:
        name, trained = f"{name} and {training}", ", each trained on the other"
    model = escape(result.model.name, NAME)
    yield Text(f"{result.cases} cases of {name} on {model}, seed {result.seed}{trained}")
    for aspect in ASPECTS:
        if any(mean.aspect == aspect for mean in result.control.means):
            yield Text("")
            yield _make_aspect_table(result, aspect, glyphs)
    if any(not editor.unable for editor in result.editors):
        yield Text("")
        yield _make_cost_table(result, glyphs)
    yield from _list_notes(result)


def _make_aspect_table(result: BenchResult, aspect: str, glyphs: Glyphs) -> Table:
    names = ASPECTS[aspect]
    headings = [f"{SCORES[name]} (95%)".strip() for name in names]
    gains = [f"{SCORES[name]} - no edit".strip(" -") for name in names[:1]]
    table = make_table(glyphs, TITLES[aspect], *headings, *gains)
    for numbers in (result.control, *(each for each in result.editors if not each.unable)):
        means = {mean.score: mean for mean in numbers.means if mean.aspect == aspect}
        cells = [_format_mean(means[name].mean, glyphs) for name in names]
        table.add_row(
            Text(escape(numbers.label, NAME), "bold"), *cells, _format_gain(means[names[0]])
        )
    return table


def _make_cost_table(result: BenchResult, glyphs: Glyphs) -> Table:
    table = make_table(glyphs, "cost of an edit", "edits", "refused", "s (median)", "MB (peak)")
    for numbers in result.editors:
        if numbers.unable:
            continue
        peak = numbers.peak_bytes
        table.add_row(
            Text(escape(numbers.label, NAME), "bold"),
            str(len(numbers.scores) - numbers.refusals),
            str(numbers.refusals),
            glyphs.none if numbers.seconds is None else f"{numbers.seconds:.2f}",
            glyphs.none if peak is None else f"{peak / _MB:.1f}",
        )
    return table


def _list_notes(result: BenchResult) -> Iterator[Text]:
    """Lists what was not measured, and why."""
    for numbers in result.editors:
        label = escape(numbers.label, NAME)
        if numbers.unable:
            yield Text(f"{label} was not measured: {escape(numbers.unable, _REASON)}")
        for reason, count in list(numbers.refused.items())[:3]:
            cases = f"{count} case{'s' * (count > 1)}"
            yield Text(f"{label} refused {cases}: {escape(reason, _REASON)}")
        more = len(numbers.refused) - 3
        if more > 0:
            yield Text(f"{label} refused others for {more} more reasons (--json names them)")
        for facts in numbers.trainings:
            shown = ", ".join(f"{key} {value}" for key, value in _pick(facts).items())
            verb = "trained" if "trained" in facts else "prepared"
            where = f" on {escape(str(facts['set']), NAME)}" if "set" in facts else ""
            yield Text(f"{label} was {verb}{where}: {escape(shown, _REASON)}")
    for name, reason in list(result.left_out.items())[:3]:
        yield Text(f"left out: {escape(name, NAME)}: {escape(reason, _REASON)}")
    if len(result.left_out) > 3:
        yield Text(f"left out: {len(result.left_out) - 3} more")


def _pick(facts: Mapping[str, object]) -> dict[str, object]:
    """Picks the facts of a training that fit into a line."""
    return {
        key: f"{value:.3g}" if isinstance(value, float) else value
        for key, value in facts.items()
        if isinstance(value, (int, float, str)) and key != "set"
    }


def _format_mean(mean: BoundedMean, glyphs: Glyphs) -> str:
    value = f"{100 * mean.value:.1f}"
    if mean.low is None or mean.high is None:
        return value
    return f"{value} ({100 * mean.low:.0f}{glyphs.dash}{100 * mean.high:.0f})"


def _format_gain(mean: KnowledgeMean) -> str:
    gain = mean.gain
    if gain is None:
        return ""
    value = f"{100 * gain.value:+.1f}"
    if gain.low is None or gain.high is None:
        return value
    return f"{value} ({100 * gain.low:+.0f} to {100 * gain.high:+.0f})"
