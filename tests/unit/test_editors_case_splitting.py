"""Cases that an encoder learns from: drawn, split apart from those that calibrate, refused if few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.editors_contract import model_of

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.case_splitting import GroupSplit, PromptGroup, split_groups
from pytest_coderobust.editors.case_states import group_prompts, read_split
from pytest_coderobust.editors.ordinary_cases import draw_library_cases
from pytest_coderobust.editors.prompt_states import read_mean_states
from pytest_coderobust.errors import UsageError
from pytest_coderobust.knowledge.case_set import CaseSet
from pytest_coderobust.knowledge.reading import read_case_set
from pytest_coderobust.records.knowledge import KnowledgeCase

pytestmark = pytest.mark.usefixtures("one_thread", "own_cache")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a-grace")


@pytest.fixture(scope="module")
def llama(root: Path) -> Any:
    return model_of("llama", root)


def list_trained(split: GroupSplit) -> set[str]:
    return {each for group in split.fit for each in group.prompts}


def list_held_out(split: GroupSplit) -> set[str]:
    return {each for group in (*split.select, *split.calibrate) for each in group.prompts}


class TestSplit:
    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 10**6), st.integers(120, 160), st.sampled_from(["near", "any"]))
    def test_no_held_out_prompt_is_in_the_training(self, seed: int, count: int, kind: str) -> None:
        """Neighbours are other cases' inputs, next to a case or anywhere; some inputs are equal."""
        draw = Random(seed)
        groups = [
            PromptGroup(
                f"a{n - n % 40 // 39}",
                (f"p{n}",),
                tuple(
                    f"a{(n + step if kind == 'near' else draw.randrange(count)) % count}"
                    for step in (1, 2, 3)
                ),
            )
            for n in range(count)
        ]
        split = split_groups("own", groups, seed)
        assert not list_trained(split) & list_held_out(split)
        assert not set(split.bank) & list_held_out(split)
        assert len(split.fit) >= count * 2 // 3
        assert split.negatives >= len(split.fit)
        assert len(split.calibrate) >= 6
        assert split == split_groups("own", groups, seed)

    def test_cases_that_share_no_input_are_split_as_they_are_shuffled(self) -> None:
        groups = [PromptGroup(f"a{n}", (f"p{n}",), (f"n{n}", f"m{n % 90}")) for n in range(120)]
        split = split_groups("own", groups, 3)
        order = list(groups)
        Random("split 3").shuffle(order)
        assert [group.anchor for group in split.fit] == [group.anchor for group in order[:80]]
        assert [*split.select, *split.calibrate] == order[80:]
        assert len(split.calibrate) == 30
        assert len(split.bank) == 80 + split.negatives - _count_twice(split)

    def test_too_little_that_is_left_is_refused(self) -> None:
        """All cases have the same neighbours, or each has all others."""
        same = [PromptGroup(f"a{n}", (f"p{n}",), ("x", "y")) for n in range(60)]
        with pytest.raises(
            UsageError,
            match=r"^train=own: its cases share too many prompts: apart from one another, 40 can "
            r"train, with 0 neighbours, and 15 calibrate; an encoder takes at least 16, half as",
        ):
            split_groups("own", same, 0)
        others = [
            PromptGroup(f"a{n}", (f"p{n}",), tuple(f"a{m}" for m in range(60) if m != n))
            for n in range(60)
        ]
        with pytest.raises(UsageError, match="60 can train, with 3540 neighbours, and 0 calibrate"):
            split_groups("own", others, 0)

    def test_rows_without_neighbours_train_on_no_calibration_prompt(self, data: Path) -> None:
        """Neighbours by TF-IDF are other rows of the same file."""
        cases = read_case_set(str(data / "conala" / "conala_200.json"))
        split = split_groups(cases.name, group_prompts(cases, "auto", 0), 0)
        assert not list_trained(split) & list_held_out(split)
        assert len(split.fit) >= 200 * 2 // 3
        assert len(split.calibrate) > 20
        assert split.negatives > 3 * len(split.fit)
        assert len(split.bank) > 120

    def test_states_are_those_of_the_split(self, llama: Any) -> None:
        groups = [PromptGroup(f"a{n} = 1\n", (f"p{n}\n",), (f"n{n}\n",)) for n in range(24)]
        split = split_groups("own", groups, 0)
        states = read_split(Access(llama), 1, split)
        assert [len(each.anchors) for each in (states.fit, states.select, states.calibrate)] == [
            16,
            2,
            6,
        ]
        assert len(states.bank) == len(split.bank) == 32
        one = read_mean_states(Access(llama), 1, [llama.encode(split.fit[0].anchor, "python")])
        assert torch.allclose(states.bank[0], one[0], rtol=1e-4, atol=1e-5)


def _count_twice(split: GroupSplit) -> int:
    negatives = [each for group in split.fit for each in group.negatives]
    return len(negatives) - len(set(negatives))


class TestCases:
    def test_library_cases_are_drawn_by_seed(self) -> None:
        first, other = draw_library_cases(30, 0), draw_library_cases(30, 1)
        assert draw_library_cases.__wrapped__(30, 0) == first
        assert first.digest != other.digest
        for case in first.cases:
            assert len(case.neighbours) == 5
            assert case.prompt not in case.neighbours
            assert case.prompt.startswith(("def ", "@")) or "def " in case.prompt
            compile(case.prompt + "    pass\n", "case", "exec")

    def test_positives_are_rewrites_or_perturbed(self) -> None:
        prompt = 'def double(value):\n    """Return twice the number of the given list."""\n'
        one = KnowledgeCase("0", prompt, "1", ("def double(value): # twice\n",), ("x\n",))
        cases = CaseSet("own", tuple(replace(one, id=str(n)) for n in range(24)))
        kinds = {kind: group_prompts(cases, kind, 0)[0].positives for kind in (  # type: ignore[arg-type]
            "auto", "rewrites", "perturbed", "both")}  # fmt: skip
        assert kinds["auto"] == kinds["rewrites"] == one.rewrites
        assert set(kinds["both"]) == {*kinds["rewrites"], *kinds["perturbed"]}
        assert len(kinds["perturbed"]) >= 2
        assert prompt not in kinds["perturbed"]

    def test_too_few_cases_are_refused(self) -> None:
        with pytest.raises(UsageError, match=r"own: 1 cases have a rewrite .* takes at least 24"):
            group_prompts(
                CaseSet("own", (KnowledgeCase("0", "a", "b", ("c",), ("d",)),)), "auto", 0
            )
