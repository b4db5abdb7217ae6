"""Fluency of a text: the entropy of its n-grams, as ROME and CLMEEval compute it.

The mean of 2/3 of the bigrams' entropy and 4/3 of the trigrams', in bits. A text that repeats
itself has little; 64 different tokens have 5.96. Word tokens are NLTK's, of the text as one line:
the reference splits sentences first where NLTK's punkt data is there, and then reads a full stop
inside the text in another way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import fsum, log2

WEIGHTS = {2: 2 / 3, 3: 4 / 3}
TOKENIZER = "nltk word_tokenize, preserve_line=True"
"""The tokenizer's name, for reports."""


def compute_fluency(text: str) -> float:
    """Computes the fluency of a text, in bits."""
    from nltk.tokenize import word_tokenize

    tokens: list[str] = word_tokenize(text, preserve_line=True)
    return fsum(weight * compute_entropy(tokens, n) for n, weight in WEIGHTS.items()) / len(WEIGHTS)


def compute_entropy(tokens: Sequence[str], n: int) -> float:
    """Computes the Shannon entropy of the n-grams' frequencies, in bits; 0 where there is none."""
    counts = Counter(zip(*(tokens[start:] for start in range(n)), strict=False))
    total = counts.total()
    shares = (count / total for count in counts.values())
    return fsum(-share * log2(share) for share in shares)
