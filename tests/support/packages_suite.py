"""Ten tasks whose canonical solutions and tests use NumPy and pandas, in HumanEval's shape."""

from __future__ import annotations

BEGINNING = "import numpy as np\nimport pandas as pd\n\n\n"
# name, arguments, what it does, body, asserts
TASKS = [
    (
        "standardise", "values", "Return the values with mean 0 and standard deviation 1.",
        "values = np.asarray(values, dtype=float)\nreturn (values - values.mean()) / values.std()",
        ("got = candidate([1, 2, 3])\nassert got.dtype == np.float64\n"
        "assert np.allclose(got, [-1.22474487, 0.0, 1.22474487])\n"
        "np.testing.assert_allclose(candidate(np.array([[0.0, 2.0]])), [[-1.0, 1.0]])"),
    ),
    (
        "count_above", "values, limit", "Return how many values are above a limit.",
        "return (np.asarray(values) > limit).sum()",
        ("assert candidate([1, 5, 7], 4) == 2\nassert isinstance(candidate([1], 4), np.integer)\n"
        "assert candidate(np.zeros(0), 4) == 0"),
    ),
    (
        "sort_in_place", "values", "Sort an array from the largest value to the smallest, in place.",
        "values[::-1].sort()",
        ("values = np.array([3, 1, 2])\nassert candidate(values) is None\n"
        "assert values.tolist() == [3, 2, 1]"),
    ),
    (
        "first_letters", "words", "Return an array of the first letter of each word.",
        "return np.array([word[:1] for word in words])",
        ("got = candidate(['ant', 'bee'])\nassert got.dtype.kind == 'U'\n"
        "assert (got == np.array(['a', 'b'])).all()"),
    ),
    (
        "next_days", "day, count", "Return the days that follow a day.",
        "return np.datetime64(day, 'D') + np.arange(1, count + 1)",
        ("got = candidate('2024-02-28', 2)\n"
        "assert np.array_equal(got, np.array(['2024-02-29', '2024-03-01'], 'M8[D]'))\n"
        "assert got.dtype == 'M8[D]'"),
    ),
    (
        "total_by", "table, key, value", "Return the sum of one column for each value of another.",
        "return table.groupby(key)[value].sum()",
        ("table = pd.DataFrame({'k': ['a', 'b', 'a'], 'v': [1, 2, 3]})\n"
        "expected = pd.Series([4, 2], index=pd.Index(['a', 'b'], name='k'), name='v')\n"
        "pd.testing.assert_series_equal(candidate(table, 'k', 'v'), expected)\n"
        "assert candidate(table, 'k', 'v')['a'] == 4"),
    ),
    (
        "fill_gaps", "table", "Return the table with each missing number as its column's mean.",
        "return table.fillna(table.mean(numeric_only=True))",
        ("table = pd.DataFrame({'n': [1.0, np.nan, 3.0], 't': ['x', None, 'z']})\n"
        "expected = pd.DataFrame({'n': [1.0, 2.0, 3.0], 't': ['x', None, 'z']})\n"
        "pd.testing.assert_frame_equal(candidate(table), expected)\n"
        "assert candidate(table)['n'].notna().all()"),
    ),
    (
        "add_share", "table, value", "Add a column 'share' to the table itself: each part of the sum.",
        "table['share'] = table[value] / table[value].sum()",
        ("table = pd.DataFrame({'v': [1, 3]})\nassert candidate(table, 'v') is None\n"
        "assert table['share'].tolist() == [0.25, 0.75]"),
    ),
    (
        "cross_table", "rows, columns", "Return how often each pair of two lists comes.",
        "return pd.crosstab(pd.Series(rows, name='r'), pd.Series(columns, name='c'))",
        ("expected = pd.DataFrame([[1, 1], [1, 0]], index=pd.Index(['a', 'b'], name='r'), "
        "columns=pd.Index(['x', 'y'], name='c'))\n"
        "pd.testing.assert_frame_equal(candidate(['a', 'a', 'b'], ['x', 'y', 'x']), expected)"),
    ),
    (
        "labels_of", "table", "Return the table's index, in order and without repetition.",
        "return table.index.unique().sort_values()",
        ("table = pd.DataFrame({'v': [1, 2, 3]}, index=pd.Index([2, 1, 2], name='n'))\n"
        "pd.testing.assert_index_equal(candidate(table), pd.Index([1, 2], name='n'))\n"
        "assert candidate(table).name == 'n'"),
    ),
]  # fmt: skip


def make_rows() -> list[dict[str, object]]:
    """Makes the rows of a file of tasks."""
    return [
        {
            "task_id": f"Tables/{at}",
            "prompt": f'{BEGINNING}def {name}({arguments}):\n    """{prose}"""\n',
            "entry_point": name,
            "canonical_solution": indent(body),
            "test": f"{BEGINNING}def check(candidate):\n{indent(asserts)}",
        }
        for at, (name, arguments, prose, body, asserts) in enumerate(TASKS)
    ]


def indent(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())
