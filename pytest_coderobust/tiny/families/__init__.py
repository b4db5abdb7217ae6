"""Every family of tasks, one module for each subject. Their order is part of the recipe."""

from __future__ import annotations

from pytest_coderobust.tiny.families.arithmetic import ARITHMETIC
from pytest_coderobust.tiny.families.characters import CHARACTER_STRINGS
from pytest_coderobust.tiny.families.dictionaries import DICTIONARIES
from pytest_coderobust.tiny.families.documents import DOCUMENTS
from pytest_coderobust.tiny.families.filters import FILTERS
from pytest_coderobust.tiny.families.iteration import ITERATION
from pytest_coderobust.tiny.families.lists import LISTS
from pytest_coderobust.tiny.families.mathematics import MATHEMATICS
from pytest_coderobust.tiny.families.numbers import NUMBERS
from pytest_coderobust.tiny.families.pairs import PAIRS
from pytest_coderobust.tiny.families.patterns import PATTERNS
from pytest_coderobust.tiny.families.recursion import RECURSION
from pytest_coderobust.tiny.families.searches import SEARCHES
from pytest_coderobust.tiny.families.tables import TABLES
from pytest_coderobust.tiny.families.wording import WORDING
from pytest_coderobust.tiny.families.words import WORDS

FAMILIES = (
    *FILTERS,
    *SEARCHES,
    *LISTS,
    *PAIRS,
    *NUMBERS,
    *ARITHMETIC,
    *CHARACTER_STRINGS,
    *WORDS,
    *WORDING,
    *DICTIONARIES,
    *TABLES,
    *RECURSION,
    *MATHEMATICS,
    *ITERATION,
    *PATTERNS,
    *DOCUMENTS,
)
