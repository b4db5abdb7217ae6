"""The solved task whose prompt is nearest to another one: BM25 on words, by the package bm25s.

Robertson et al. 1995, in Lucene's form (k1 = 1.5, b = 0.75). Words are those of identifiers too:
`list_of_roots` has three.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pytest_coderobust.errors import MissingExtra
from pytest_coderobust.records import Task

WORD = re.compile(r"[A-Za-z]+|\d+")


def require_bm25() -> Any:
    """Imports the package bm25s.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import bm25s
    except ImportError:
        raise MissingExtra("the arm 'example'", "study") from None
    return bm25s


def split_words(text: str) -> list[str]:
    """Splits text into its words, in lower case."""
    return [word.lower() for word in WORD.findall(text)]


def find_nearest(task: Task, solved: Sequence[Task]) -> Task | None:
    """Finds the solved task nearest to a task, ties to the first; never the task itself."""
    others = [each for each in solved if each.id != task.id and each.canonical is not None]
    if len(others) < 2:
        return others[0] if others else None
    scores = score_prompts(task.prompt, [each.prompt for each in others])
    return others[max(range(len(others)), key=lambda place: (scores[place], -place))]


def score_prompts(prompt: str, others: Sequence[str]) -> list[float]:
    """Scores prompts by BM25 against one as the query."""
    words = [split_words(each) for each in others]
    query = split_words(prompt)
    if not query or not any(words):
        return [0.0] * len(others)
    index = require_bm25().BM25(method="lucene", k1=1.5, b=0.75)
    index.index(words, show_progress=False)
    return [float(score) for score in index.get_scores(query)]
