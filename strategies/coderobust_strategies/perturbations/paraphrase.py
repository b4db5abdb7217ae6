"""Deterministic paraphrases of imperative sentences: "Return X", "Your task is to return X".

No back-translation and no imitation of one: five templates that keep every word of the sentence.
"""

from __future__ import annotations

from collections.abc import Iterator

from coderobust_strategies.edit import Edit
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.prompt.speech import tagged
from coderobust_strategies.site import Site

_TEMPLATES = (
    "Please {}",
    "You should {}",
    "You have to {}",
    "Your task is to {}",
    "Your goal is to {}",
)


def imperatives(anatomy: Anatomy) -> Iterator[Site]:
    """Each sentence that opens with an imperative may open with a template."""
    for each in tagged(anatomy):
        word = each.word
        if each.tag == "VB" and not each.before and word.text[0].isupper():
            forms = (template.format(word.text.lower()) for template in _TEMPLATES)
            yield Site(tuple(Edit(word.start, word.stop, form, "paraphrase") for form in forms))
