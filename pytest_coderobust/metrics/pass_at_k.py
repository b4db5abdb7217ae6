"""pass@k: the chance that at least one of k samples passes, estimated without bias from n.

Source: Chen et al. 2021, "Evaluating Large Language Models Trained on Code", equation 1:
1 - C(n-c, k) / C(n, k). Departure: evaluated in exact integers and divided once, so the result is
correctly rounded for any n, where the paper's floating product gathers rounding (pass@1 is exactly
c / n here).
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

from pytest_coderobust.errors import UsageError


@lru_cache(maxsize=65536)
def pass_at_k(n: int, c: int, k: int) -> float:
    """The unbiased estimate from `c` passing samples of `n`.

    Raises:
        UsageError: k is below 1, or more than the samples that were drawn.
        ValueError: c is not a valid count of n.
    """
    if not 0 <= c <= n:
        raise ValueError(f"{c} passing samples of {n} is not a valid count")
    if k < 1:
        raise UsageError(f"pass@{k} is not defined: k starts at 1")
    if k > n:
        raise UsageError(
            f"pass@{k} needs at least {k} samples a prompt, and only {n} were drawn: "
            f"raise n to {k} or lower k to {n}"
        )
    draws = comb(n, k)
    return (draws - comb(n - c, k)) / draws
