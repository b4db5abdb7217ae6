"""A failing assert is reported with its values."""

from __future__ import annotations

from pytest_coderobust.records import Tests
from pytest_coderobust.sandbox.cage.encoder import Encoder
from pytest_coderobust.sandbox.judge.asserts import prepare, shorten
from pytest_coderobust.sandbox.judge.outcome import Outcomes
from pytest_coderobust.sandbox.judge.proxy import Proxy
from pytest_coderobust.sandbox.judge.trial import run_tests


def describe_failure(source: str, answer: object) -> str:
    """The detail of a run in which the candidate always returns `answer`."""
    from pytest_coderobust.sandbox.check import Check

    tests = Tests(source, "check")
    suite = prepare(tests)
    proxy = Proxy("f", lambda _call: {"value": Encoder().encode(answer)})
    outcomes = Outcomes(suite.total, suite.caught, lambda: suite.sources, proxy.called)
    run_tests(Check("", "f", tests), suite, outcomes, proxy)
    return outcomes.detail


def test_bare_assert_is_reported_with_source_arguments_and_value() -> None:
    source = "def check(candidate):\n    for x in ([1], [2, 3]):\n        assert candidate(x, k=1) == x\n"
    assert describe_failure(source, [1]) == (
        "AssertionError in: assert candidate(x, k=1) == x; f([2, 3], k=1) returned [1]"
    )


def test_message_of_the_assert_stays() -> None:
    source = "def check(candidate):\n    assert candidate(1) == 2, 'two'\n"
    assert (
        describe_failure(source, 3)
        == "AssertionError: two in: assert candidate(1) == 2; f(1) returned 3"
    )


def test_an_iterator_is_reported_by_what_it_holds_and_not_where_it_is() -> None:
    source = "def check(candidate):\n    assert candidate(1) == []\n"
    assert describe_failure(source, iter([2, "a"])).endswith("; f(1) returned iter([2, 'a'])")
    assert describe_failure(source, [iter([])]).endswith("; f(1) returned [iter([])]")


def test_huge_value_and_huge_assert_stay_one_short_line() -> None:
    source = f"def check(candidate):\n    assert candidate({'x' * 5000!r}) == {'y' * 5000!r}\n"
    found = describe_failure(source, "a\nb" * 100_000)
    assert len(found) < 600
    assert "\n" not in found
    assert found.endswith("'")


def test_shortened_text_keeps_both_ends() -> None:
    assert shorten("a" * 300 + "end", 50).endswith("aend")
    assert len(shorten("a" * 300, 50)) <= 50
    assert shorten("short") == "short"
