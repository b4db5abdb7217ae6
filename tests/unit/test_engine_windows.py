from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.engine.windows import WINDOW, cut_batches, cut_windows
from pytest_coderobust.records import Cell

CELLS = (Cell(), Cell("C1", 0), Cell("C1", 1), Cell("C2", 0))


@given(
    tasks=st.integers(1, 700),
    chosen=st.sets(st.tuples(st.integers(0, 699), st.sampled_from(CELLS)), max_size=60),
)
def test_every_wanted_square_lies_in_one_window_with_its_clean_one(
    tasks: int, chosen: set[tuple[int, Cell]]
) -> None:
    names = [f"T/{i}" for i in range(tasks)]
    wanted = {(f"T/{i % tasks}", cell) for i, cell in chosen}
    windows = cut_windows(wanted, names, CELLS)
    flat = [square for window in windows.squares for square in window]
    assert len(flat) == len(set(flat))
    assert set(flat) == wanted | {(task, Cell()) for task, _ in wanted}
    for place, window in enumerate(windows.squares):
        assert 1 <= len(window) <= WINDOW
        assert len({cell for _, cell in window}) == 1
        assert all(windows.index[square] == place for square in window)


def test_another_perturbation_leaves_the_windows_of_the_first_as_they_were() -> None:
    names = [f"T/{i}" for i in range(300)]
    few = cut_windows([(name, Cell("C1", 0)) for name in names], names, CELLS)
    more = cut_windows(
        [(name, cell) for name in names for cell in (Cell("C1", 0), Cell("C2", 0))], names, CELLS
    )
    assert set(few.squares) < set(more.squares)


def test_windows_do_not_depend_on_the_order_of_the_items() -> None:
    names = [f"T/{i}" for i in range(300)]
    wanted = [(name, cell) for name in names for cell in CELLS]
    assert cut_windows(wanted, names, CELLS) == cut_windows(wanted[::-1], names, CELLS)


@given(st.lists(st.text(max_size=9), max_size=40), st.integers(1, 7))
def test_batches_hold_every_row_once_longest_first(prompts: list[str], size: int) -> None:
    rows = list(enumerate(prompts))
    batches = cut_batches(rows, size, lambda row: len(row[1]))
    flat = [one for batch in batches for one in batch]
    assert sorted(flat) == rows
    lengths = [len(prompt) for _, prompt in flat]
    assert lengths == sorted(lengths, reverse=True)
    assert all(len(batch) == size for batch in batches[:-1])
