"""The choice of a token, against transformers' own nucleus and torch's own softmax."""

from __future__ import annotations

import math
import random

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TemperatureLogitsWarper, TopPLogitsWarper

from pytest_coderobust.models.sampling import RowNoise, choose, uniforms

SCORES = torch.tensor([[2.0, -1.0, 0.5, 0.5, 3.0, -torch.inf]])


def shares(scores: torch.Tensor, temperature: float, top_p: float, draws: int) -> torch.Tensor:
    """Share of each token when the uniform numbers cover [0, 1) evenly."""
    uniform = (torch.arange(draws, dtype=torch.float64) + 0.5) / draws
    chosen = choose(scores.expand(draws, -1), uniform, temperature, top_p)
    return torch.bincount(chosen, minlength=scores.shape[1]) / draws


def test_shares_are_the_softmax_at_the_temperature() -> None:
    for temperature in (0.3, 1.0, 2.5):
        expected = torch.softmax(SCORES[0] / temperature, dim=-1)
        assert torch.allclose(shares(SCORES, temperature, 1.0, 20_000), expected, atol=1e-4)


def test_nucleus_is_that_of_transformers() -> None:
    generator = torch.Generator().manual_seed(0)
    for top_p in (0.05, 0.5, 0.9, 0.99):
        scores = torch.randn(1, 40, generator=generator) * 2
        warped = TemperatureLogitsWarper(0.7)(torch.zeros(1, 1), scores)
        expected = torch.softmax(TopPLogitsWarper(top_p)(torch.zeros(1, 1), warped)[0], dim=-1)
        assert torch.allclose(shares(scores, 0.7, top_p, 50_000), expected, atol=1e-3)


def test_the_most_probable_token_is_always_left() -> None:
    assert shares(SCORES, 1.0, 0.0, 100)[4] == 1.0


def test_the_number_next_to_one_chooses_a_possible_token() -> None:
    scores = torch.tensor([[0.1, 0.7, 0.3, -torch.inf, -torch.inf]])
    almost = torch.tensor([math.nextafter(1, 0)], dtype=torch.float64)
    for temperature in (0.1, 0.3, 1.0, 1.7, 3.0):
        assert choose(scores, almost, temperature, 1.0) <= 2


@given(
    scores=st.lists(st.floats(-20, 20), min_size=2, max_size=30),
    uniform=st.floats(0, 1, exclude_max=True),
    temperature=st.floats(0.05, 5),
    top_p=st.floats(0, 1),
)
@settings(deadline=None)
def test_a_forbidden_token_is_never_chosen(
    scores: list[float], uniform: float, temperature: float, top_p: float
) -> None:
    tensor = torch.tensor([[-torch.inf, *scores, -torch.inf]])
    chosen = choose(tensor, torch.tensor([uniform], dtype=torch.float64), temperature, top_p)
    assert 1 <= chosen.item() <= len(scores)


@given(noise=st.integers(0, 2**256), uniform=st.floats(0, 1, exclude_max=True))
@settings(deadline=None)
def test_rounding_moves_a_choice_only_at_a_boundary(noise: int, uniform: float) -> None:
    generator = torch.Generator().manual_seed(noise % 2**60)
    scores = torch.randn(1, 20, generator=generator)
    wobble = torch.rand(1, 20, generator=generator) * 2e-6 - 1e-6
    cumulative = torch.softmax(scores.double(), dim=-1).cumsum(dim=-1)
    if (cumulative - uniform).abs().min() > 1e-5:
        number = torch.tensor([uniform], dtype=torch.float64)
        assert choose(scores, number, 1.0, 1.0) == choose(scores + wobble, number, 1.0, 1.0)


def test_a_row_draws_the_numbers_of_its_seed_alone() -> None:
    scores = torch.randn(3, 50, generator=torch.Generator().manual_seed(1))
    together = RowNoise([5, 6, 7], 2, 4, 1.0, 1.0)
    alone = RowNoise([6], 2, 4, 1.0, 1.0)
    for step in range(4):
        ids = torch.zeros(3, 2 + step)
        chosen = together(ids, scores).argmax(dim=-1)
        assert chosen[1] == alone(ids[:1], scores[1:2]).argmax()
        number = torch.tensor([uniforms(6, 4)[step]], dtype=torch.float64)
        assert chosen[1] == choose(scores[1:2], number, 1.0, 1.0)


def test_the_numbers_are_those_of_random_random() -> None:
    generator = random.Random(2**200 + 1)
    assert uniforms(2**200 + 1, 3) == [generator.random() for _ in range(3)]
