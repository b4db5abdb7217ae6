"""Example lines of every style are separated from prose."""

from __future__ import annotations

import pytest

from coderobust_strategies.prompt.examples import example_lines

BLOCKS = {
    "doctest": "Add one.\n>>> f(1)\n2\n\nThe rest is prose.",
    "doctest over lines": "Add.\n>>> f(1,\n...   2)\n3\n\nThe rest is prose.",
    "call and arrow": "Add.\nf(1) => 2\nThe rest is prose.",
    "call returns": "Add.\nf('a') returns 'b'\nThe rest is prose.",
    "bulleted calls": "Add.\n* f(1) -> 2\nThe rest is prose.",
    "call and comment": "Add.\nf(15)   # returns 3\nThe rest is prose.",
    "assert": "Add.\nassert f(1) == 2\nThe rest is prose.",
    "values": "Add.\nFor x = [1] the output should be 2\nThe rest is prose.",
    "formula": "Add.\nmad = mean of | x - y |\nThe rest is prose.",
    "header": "Add.\nExamples:\n  f(1) is two\n\nThe rest is prose.",
    "numbered header": "Add.\nExample 1:\n    Input: 3\n    Output: 4\n    Explanation:\n"
    "    one more than three\n\nThe rest is prose.",
    "misspelt header": "Add.\nfor examble:\nf(1) ->2\nThe rest is prose.",
    "open brackets": "Add.\nExamples:\nf([\n  [1, 2],\n], 1) == [2]\nThe rest is prose.",
    "fence": "Add.\n```\nanything at all\n```\nThe rest is prose.",
}


@pytest.mark.parametrize("style", BLOCKS)
def test_lines_between_the_first_and_the_last_are_the_example(style: str) -> None:
    lines = BLOCKS[style].split("\n")
    marks = example_lines(lines)

    assert marks == [False] + [True] * (len(lines) - 2) + [False]


@pytest.mark.parametrize(
    "line",
    [
        "Return the numbers (of length at least two) in order.",
        "For example, the intersection of both is empty.",
        "- Find the longest postfix of the string.",
        "Assert that the list is sorted.",
        "If x is even return half of it.",
        "Note: the input is never empty.",
    ],
)
def test_prose_that_looks_a_little_like_an_example_stays_prose(line: str) -> None:
    assert example_lines([line]) == [False]
