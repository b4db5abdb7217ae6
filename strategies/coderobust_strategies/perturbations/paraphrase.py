"""Paraphrases of imperative sentences: "Return X" becomes "Your task is to return X".

Five templates keep every word of the sentence. This does not imitate back-translation.
"""

from __future__ import annotations

from collections.abc import Iterator

from coderobust_strategies.edit import Edit
from coderobust_strategies.prompt.anatomy import Anatomy
from coderobust_strategies.prompt.speech import tag_words
from coderobust_strategies.site import Site

_TEMPLATES = (
    "Please {}",
    "You should {}",
    "You have to {}",
    "Your task is to {}",
    "Your goal is to {}",
)


def imperatives(anatomy: Anatomy) -> Iterator[Site]:
    """Puts a template before a sentence that opens with an imperative."""
    for each in tag_words(anatomy):
        word = each.word
        if each.tag == "VB" and not each.before and word.text[0].isupper():
            forms = (template.format(word.text.lower()) for template in _TEMPLATES)
            yield Site(tuple(Edit(word.start, word.stop, form, "paraphrase") for form in forms))
