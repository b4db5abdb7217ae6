"""Frames between a coordinator and its nodes: whole both ways, and nothing but data."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.judge_nodes import FACTS

from pytest_coderobust.errors import SandboxError
from pytest_coderobust.records import ApiChange, ApiUse, Level, Limits, Packages, Tests, Verdict
from pytest_coderobust.records.verdict import FailureKind
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.nodes.facts import JudgeFacts, compare_facts, find_facts, list_tiers
from pytest_coderobust.sandbox.nodes.frames import (
    read_check_frame,
    read_facts_frame,
    read_reply_frame,
    write_check_frame,
    write_error_frame,
    write_facts_frame,
    write_reply_frame,
)

texts = st.text(st.characters(), max_size=40)  # lone surrogates too
counts = st.integers(0, 1 << 40)
seconds = st.floats(0, 1e6)
names = st.lists(texts, max_size=3).map(tuple)
changes = st.builds(ApiChange, texts, texts) | st.builds(
    ApiChange, texts, texts, st.just("keyword-only"), names
)
checks = st.builds(
    Check,
    texts,
    texts,
    st.builds(Tests, texts, st.sampled_from(["check", "asserts", "stdio", "compiled"]), texts),
    st.builds(Limits, seconds, seconds, seconds, counts, counts, counts),
    st.sampled_from(["python", "cpp", "java"]),
    st.lists(changes, max_size=3).map(tuple),
    st.booleans(),
    st.builds(Packages, names, st.lists(st.tuples(texts, texts), max_size=3).map(tuple)),
)
verdicts = st.builds(
    Verdict,
    st.sampled_from(Level),
    st.just(0),
    counts,
    st.sampled_from(get_args(FailureKind)),
    texts,
    texts,
    seconds,
    st.lists(st.builds(ApiUse, counts, counts), max_size=3).map(tuple),
    st.booleans(),
)
facts = st.builds(JudgeFacts, *[texts] * 6)


@given(checks)
def test_a_check_arrives_as_it_was_sent(check: Check) -> None:
    arrived = read_check_frame(write_check_frame(check))
    assert arrived == check
    assert hash(arrived) == hash(check)  # it is looked up by its tests there


@given(facts, verdicts)
def test_a_verdict_arrives_with_the_tier_that_its_process_attests(
    told: JudgeFacts, verdict: Verdict
) -> None:
    reply = read_reply_frame(write_reply_frame(told, verdict))
    assert reply.facts == told
    assert reply.verdict == replace(verdict, tier=told.tier)


@given(facts)
def test_facts_arrive_as_they_were_sent(told: JudgeFacts) -> None:
    assert read_facts_frame(write_facts_frame(told)) == told


@given(texts)
def test_a_failure_of_the_harness_arrives_as_its_sentence(said: str) -> None:
    for read in (read_reply_frame, read_facts_frame):
        with pytest.raises(SandboxError) as caught:
            read(write_error_frame(said))
        assert str(caught.value) == said


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(
    json_values | st.binary(),
    st.sampled_from(["", "facts", "verdict", "level", "api_uses", "detail"]),
)
def test_what_is_no_verdict_is_refused_and_never_becomes_one(junk: Any, place: str) -> None:
    frame: object = junk
    if place and not isinstance(junk, bytes):
        message = json.loads(write_reply_frame(FACTS, Verdict(Level.FULL, 1, 1)))
        (message if place in message else message["verdict"])[place] = junk
        frame = json.dumps(message).encode()
    try:
        reply = read_reply_frame(frame)
    except SandboxError:
        return
    assert type(reply.verdict) is Verdict
    assert type(reply.verdict.detail) is str
    assert type(reply.verdict.level) is Level
    assert all(type(use.old) is int for use in reply.verdict.api_uses)


@pytest.mark.parametrize(
    ("field", "value"),
    [("failure", "gone"), ("passed", 2), ("passed", -1), ("cpu_seconds", float("nan")),
     ("cpu_seconds", -1.0), ("cpu_seconds", 10**400), ("passed", True), ("total", True),
     ("api_uses", [{"old": 0, "new": True}]), ("level", "best"), ("in_process", "no"), ("more", 1)],
)  # fmt: skip
def test_values_that_no_judge_says_are_refused(field: str, value: object) -> None:
    message = json.loads(write_reply_frame(FACTS, Verdict(Level.FULL, 1, 1)))
    assert read_reply_frame(json.dumps(message).encode()).verdict == Verdict(
        Level.FULL, 1, 1, tier="ns"
    )
    message["verdict"][field] = value
    with pytest.raises(SandboxError, match="a node sent what is no verdict: "):
        read_reply_frame(json.dumps(message).encode())


def test_another_process_is_told_by_what_differs() -> None:
    here = find_facts("ns")
    assert compare_facts(here, find_facts("ns")) == ""
    there = replace(here, tier="no-ns", cpp="g++ 99")
    told = compare_facts(here, there)
    assert told.startswith("isolation 'no-ns' there, 'ns' here; C++ 'g++ 99' there, ")
    assert (
        compare_facts(replace(here, java="17"), replace(here, java=""))
        == "Java none there, '17' here"
    )


def test_a_node_tries_the_tier_first_and_tells_a_weaker_one() -> None:
    assert list_tiers("bwrap") == ("bwrap", "no-ns", "seccomp")
    assert list_tiers("rlimits") == ("rlimits",)
