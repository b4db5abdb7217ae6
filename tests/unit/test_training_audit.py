"""The audit of training rows: typing errors pass, and each kind of damage is found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coderobust_strategies.edit import apply_edits
from pytest_coderobust.tasks.rows import DataRow
from pytest_coderobust.training.example import Passage, TrainingExample
from pytest_coderobust.training.formats import FORMATS
from pytest_coderobust.training.perturbing import ExamplePerturber, find_code
from pytest_coderobust.training.row_audit import audit_row
from pytest_coderobust.training.sets import SINGLES
from tests.support.training_rows import alpaca_rows, message_rows

TEXT = (
    "Write the function `add_all` for the total of 12 numbers called values.\n\n"
    "```python\ndef add_all(values):\n    return sum(values)\n```\nCall it as add_all([3]) please.\n"
)
EXAMPLE = TrainingExample(
    "1", (Passage(TEXT), Passage("data 7", prose=False)), "    return 1\n", "add_all"
)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("Write the function", "Wrtie teh funtcion", ""),
        ("please", "kindly please", ""),
        ("the total", "THE tOTal", ""),
        ("of 12 numbers", "of 21 numbers", "numbers"),
        ("`add_all`", "`add_lla`", "identifiers"),
        ("`add_all`", "add_all", "identifiers"),
        ("called values", "called vlaues", "identifiers"),
        ("return sum(values)", "return smu(values)", "examples, fences, identifiers"),
        ("    return sum", "  return sum", ""),
        ("```python", "``python", "fences"),
        ("add_all([3])", "add_all([4])", "examples, numbers"),
    ],
)
def test_damage_is_found_and_noise_is_not(old: str, new: str, found: str) -> None:
    assert TEXT.count(old) >= 1
    assert audit_row(EXAMPLE, (TEXT.replace(old, new, 1), "data 7")) == found


def test_a_passage_that_is_no_prose_stays_to_the_letter() -> None:
    assert audit_row(EXAMPLE, (TEXT, "data 8")) == "passage"
    assert audit_row(EXAMPLE, (TEXT, "data  7")) == "passage"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("    return first\n", "    return first\n"),
        ("def f(x):\n    return x\n", "def f(x):\n    return x\n"),
        ("Use the list.\n```python\nreturn x\n```\nDone.", "return x\n"),
        ("```\na\n```\ntext\n~~~\nb\n~~~\n", "a\n\nb\n"),
        ("The answer is that you sort the list.", ""),
        ("int main() { printf(a); return 0; }", "main printf"),
    ],
)
def test_words_of_an_explanation_are_no_identifiers(answer: str, code: str) -> None:
    assert find_code(answer) == code


EXAMPLES = [
    FORMATS[name].read(DataRow(row, "row"), f"{name}/{number}")
    for name, rows in (("alpaca", alpaca_rows(12)), ("messages", message_rows(6)))
    for number, row in enumerate(rows)
]
PROSE = [name for name in SINGLES if name != "S1"]


@settings(max_examples=60)
@given(
    st.sampled_from(EXAMPLES),
    st.sampled_from([*PROSE, "C", "W", "S", "mix_all"]),
    st.integers(0, 9),
)
def test_edits_make_the_prompt_and_damage_nothing(
    example: TrainingExample, name: str, seed: int
) -> None:
    made = ExamplePerturber().perturb(example, name, seed)
    for passage, text, edits in zip(example.passages, made.texts, made.edits, strict=True):
        assert apply_edits(passage.text, edits) == text
        assert passage.prose or text == passage.text
    assert (made.texts == example.texts) == bool(made.skipped)
    assert not made.skipped.startswith("damaged")
    assert made.member in {"C": PROSE, "W": PROSE, "S": PROSE, "mix_all": PROSE}.get(name, [""])
    assert made == ExamplePerturber().perturb(example, name, seed)


def test_a_row_that_a_rewriter_damages_stays_clean() -> None:
    from pytest_coderobust.engine.rewrites import RewriteSource
    from pytest_coderobust.rewriters.rewriter import Paragraph

    class Careless:
        batched, seeded, digest = False, False, "careless"

        def rewrite(self, paragraphs: list[Paragraph]) -> list[str]:
            return [
                each.text.replace("values", "valores").replace("of 12", "among 12")
                for each in paragraphs
            ]

    perturber = ExamplePerturber({"S1": RewriteSource(Careless())})
    made = perturber.perturb(EXAMPLE, "S1", 0)
    assert (made.texts, made.skipped) == (EXAMPLE.texts, "damaged: identifiers")
    harmless = TrainingExample("2", (Passage("Give the total of 12 numbers."),), "x = 1")
    made = perturber.perturb(harmless, "S1", 0)
    assert (made.texts, made.skipped) == (("Give the total among 12 numbers.",), "")
