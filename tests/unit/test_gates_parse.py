from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.errors import ConfigError
from pytest_coderobust.gates import Gate, check_gates, parse_gate
from pytest_coderobust.metrics.catalogue import NAMES

WHERE = "toy.toml: [suite] gates"
LEVELS = {"C1": "character", "nlp/C1": "character", "W1": "word"}


@pytest.mark.parametrize(
    ("text", "metric", "k", "condition", "operator", "threshold"),
    [
        ("rd[C1] <= 0.15", "rd", None, "C1", "<=", 0.15),
        ("pass@1 >= 0.30", "pass", 1, "clean", ">=", 0.3),
        ("pass@10[C1]>=.2", "pass", 10, "C1", ">=", 0.2),
        ("robust_pass@1[C1] > 0", "robust_pass", 1, "C1", ">", 0.0),
        ("robust_drop[character] < 0.5", "robust_drop", None, "character", "<", 0.5),
        ("robust_relative@5[all] <= 1e-1", "robust_relative", 5, "all", "<=", 0.1),
        ("rd <= -0.05", "rd", None, "all", "<=", -0.05),
        ("broken[C1] <= 10", "broken", None, "C1", "<=", 10.0),
        ("broken <= 10", "broken", None, "all", "<=", 10.0),
        ("unusable <= 3", "unusable", None, "", "<=", 3.0),
        ("truncated <= 5", "truncated", None, "", "<=", 5.0),
        ("truncated[clean] <= 5", "truncated", None, "clean", "<=", 5.0),
        ("  rd [ nlp/C1 ]  <=  0.15  ", "rd", None, "nlp/C1", "<=", 0.15),
        ("solved >= 100", "solved", None, "clean", ">=", 100.0),
    ],
)
def test_grammar(
    text: str, metric: str, k: int | None, condition: str, operator: str, threshold: float
) -> None:
    gate = parse_gate(text, WHERE)
    found = (gate.metric, gate.k, gate.condition, gate.operator, gate.threshold)
    assert found == (metric, k, condition, operator, threshold)
    assert gate.text == text.strip()
    assert gate.inconclusive == "fail"


def test_table_may_let_an_inconclusive_outcome_pass() -> None:
    table = {"gate": "rd <= 0.1", "inconclusive": "pass"}
    assert parse_gate(table, WHERE).inconclusive == "pass"
    assert parse_gate({"gate": "rd <= 0.1"}, WHERE) == parse_gate("rd <= 0.1", WHERE)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("rdd[C1] <= 0.15", "unknown metric 'rdd' in 'rdd[[]C1] <= 0.15'; did you mean 'rd'?*"),
        ("brokn <= 1", "unknown metric 'brokn' in *; did you mean 'broken'?*"),
        ("pass >= 0.3", "'pass >= 0.3' must say which k, like 'pass@1'"),
        ("robust_pass[C1] >= 0.3", "* must say which k, like 'robust_pass@1'"),
        ("broken@1 <= 3", "broken in 'broken@1 <= 3' is a count and takes no @1"),
        ("unusable[C1] <= 3", "* counts the suite's tasks: no [[]C1]"),
        ("pass@1 >= 30", "* is a share between 0 and 1, not 30 (15 % is 0.15)"),
        ("pass@1 >= -0.1", "* is a share between 0 and 1, not -0.1*"),
        ("rd <= 15", "* is a share between -1 and 1, not 15*"),
        ("broken <= 2.5", "* is a count: its threshold is a whole number, not 2.5"),
        ("broken <= -1", "* is a count: its threshold is a whole number, not -1"),
        ("rd[C1] = 0.15", "'rd[[]C1] = 0.15' is not a valid gate: *one of <= >= < >*"),
        ("rd[C1] == 0.15", "* is not a valid gate: *"),
        ("rd[C1] <= 15%", "* is not a valid gate: *"),
        ("rd[C1] <= nan", "* is not a valid gate: *"),
        ("rd[C1] <= inf", "* is not a valid gate: *"),
        ("rd[] <= 0.1", "* is not a valid gate: *"),
        ("rd[C1] <=", "* is not a valid gate: *"),
        (f"pass@{'9' * 5000} >= 0.1", "* is not a valid gate: *"),
        ("rd <= 1e999", "* is a share between -1 and 1, not inf*"),
        ("broken <= 1e999", "* its threshold is a whole number, not inf"),
        ("", "'' is not a valid gate: *like 'rd[[]C1] <= 0.15' or 'pass@1 >= 0.30'"),
        ("rd <= 0.1 and pass@1 >= 0.3", "* is not a valid gate: *"),
        (3, "a gate is a string like *, not 3"),
        (["rd <= 0.1"], "a gate is a string like *"),
        ({}, "a gate's table needs gate = *, not None"),
        ({"gate": 3}, "a gate's table needs gate = *, not 3"),
        ({"gat": "rd <= 0.1"}, "unknown gate key 'gat'; did you mean 'gate'?*"),
        (
            {"gate": "rd <= 0.1", "inconclusive": "passes"},
            "inconclusive = 'passes' is not a valid outcome; did you mean 'pass'?*",
        ),
        (
            {"gate": "rd <= 0.1", "inconclusive": True},
            "inconclusive = True is not a valid outcome*",
        ),
    ],
)
def test_bad_gate_is_one_sentence_that_begins_with_the_place(value: object, message: str) -> None:
    from fnmatch import fnmatchcase

    with pytest.raises(ConfigError) as caught:
        parse_gate(value, WHERE)
    assert "\n" not in str(caught.value)
    assert fnmatchcase(str(caught.value), f"{WHERE.replace('[', '[[]')}: {message}")


@given(st.text(max_size=40))
def test_any_text_is_a_gate_or_a_config_error(text: str) -> None:
    try:
        gate = parse_gate(text, WHERE)
    except ConfigError:
        return
    assert gate.text == text.strip()


def checked(text: str, ks: tuple[int, ...] = (1,), names: tuple[str, ...] = tuple(LEVELS)) -> None:
    levels = {name: LEVELS[name] for name in names}
    check_gates([parse_gate(text, WHERE)], ks, ["clean", *names], levels, WHERE)


@pytest.mark.parametrize(
    "text",
    [
        "rd[C1] <= 0.1",
        "rd[nlp/C1] <= 0.1",
        "rd[character] <= 0.1",
        "rd[all] <= 0.1",
        "rd <= 0.1",
        "pass@1[clean] >= 0.1",
        "pass@1[word] >= 0.1",
        "skipped <= 3",
        "skipped[clean] <= 3",
        "unchecked <= 3",
    ],
)
def test_gates_about_planned_conditions_pass_the_check(text: str) -> None:
    checked(text)


def test_condition_that_is_not_planned_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'charater', which this suite .* mean 'character'\?"):
        checked("rd[charater] <= 0.1")


def test_clean_has_no_rd() -> None:
    with pytest.raises(ConfigError, match=r"'rd\[clean\] <= 0.1' is about 'clean', which"):
        checked("rd[clean] <= 0.1")


def test_k_that_is_not_measured_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"asks for k = 5, and the suite measures k = 1, 10"):
        checked("pass@5 >= 0.1", ks=(1, 10))


@pytest.mark.parametrize("text", ["rd <= 0.1", "rd[C1] <= 0.1", "broken <= 3"])
def test_suite_without_perturbations_has_no_robustness_to_gate(text: str) -> None:
    with pytest.raises(ConfigError, match="which this suite does not measure"):
        checked(text, names=())


def test_reading_gates_imports_nothing_heavy() -> None:
    code = (
        "import sys, pytest_coderobust.gates\n"
        "heavy = {'scipy', 'numpy', 'rich', 'torch', 'hypothesis', 'pytest'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout == "[]\n"


def test_documentation_has_every_metric_and_its_gates_parse() -> None:
    import re

    text = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert re.search(rf"`{name}(@K)?`", text), name
    quoted = re.findall(r'"([a-z_]+[@[ ][^"]*[<>]=? [^"]*)"', text)
    assert len(quoted) == 8
    for gate in quoted:
        parse_gate(gate, WHERE)


def test_a_gate_is_a_value() -> None:
    assert parse_gate("rd <= 0.1", "here") == parse_gate("rd <= 0.1", "there")
    assert isinstance(hash(parse_gate("rd <= 0.1", WHERE)), int)
    assert Gate("x", "rd", None, "all", "<=", 0.1).inconclusive == "fail"


@pytest.mark.parametrize("confidence", [0.4, 1.0, 95, "0.95", True])
def test_confidence_is_a_share(confidence: object) -> None:
    with pytest.raises(ConfigError, match=r"must lie between 0\.5 and 1"):
        parse_gate({"gate": "rd <= 0.1", "confidence": confidence}, WHERE)


def test_count_has_no_confidence() -> None:
    with pytest.raises(ConfigError, match="broken in 'broken <= 3' is a count"):
        parse_gate({"gate": "broken <= 3", "confidence": 0.95}, WHERE)
