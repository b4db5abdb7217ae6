"""Parts of speech are right where they are given, and missing where they are ambiguous."""

from __future__ import annotations

import pytest

from coderobust_strategies.prompt.anatomy import dissect
from coderobust_strategies.prompt.speech import tag_words


def tags(text: str) -> str:
    return " ".join(f"{each.word.text}/{each.tag or '?'}" for each in tag_words(dissect(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Return the sum of the list.", "Return/VB the/DT sum/NN of/IN the/DT list/NN"),
        ("It returns a number.", "It/PRP returns/VBZ number/NN"),
        ("a function that counts vowels", "function/NN that/DT counts/VBZ vowels/NNS"),
        ("You should return it.", "You/PRP should/MD return/VB it/PRP"),
        ("The words are sorted.", "The/DT words/NNS are/AUX sorted/VBN"),
        ("from a given list", "from/IN given/VBN list/NN"),
        ("Write code to find the item", "Write/VB code/NN to/TO find/VB the/DT item/NN"),
        ("the smaller number", "the/DT smaller/JJR number/NN"),
        ("Your goal is to separate those", "Your/PRP$ goal/NN is/AUX to/TO separate/VB those/DT"),
        ("Please note", "Please/RB note/?"),
        ("Qwxyz the items", "Qwxyz/? the/DT items/NNS"),
    ],
)
def test_words_get_the_tag_their_place_calls_for(text: str, expected: str) -> None:
    assert tags(text) == expected


def test_neighbours_are_known_across_names_but_not_across_sentences() -> None:
    first, second, third = tag_words(dissect("Return x_1 items. Sort"))

    assert (first.before, first.after) == ("", "NAME")
    assert (second.before, second.after) == ("NAME", "")
    assert third.before == ""
