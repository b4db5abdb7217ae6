"""Perturbations that a model was trained on, and unseen ones: what it learnt, and what it can do.

A perturbation is *trained* where every kind of change that it makes was trained on, *unseen* where
none was, and neither where some were (mix_all of a model that was trained on C1). Kinds are those
of the code: typing errors of ReCode (C1) and of NLPerturbator (nlp:E1) are two.
"""

from __future__ import annotations

from collections.abc import Sequence

from coderobust_strategies.catalogue import list_changes

TRAINED, UNSEEN = "trained", "unseen"
"""Names of the conditions that pool them."""


def pool_unseen(perturbations: Sequence[str], train: Sequence[str]) -> dict[str, list[str]]:
    """Pools the perturbations that were trained on, and the unseen ones, in plan order.

    A perturbation that has the name of a pool keeps it; there is then no such pool.

    Args:
        perturbations: of a plan.
        train: the perturbations of the training; without any there are no pools.
    """
    if not train:
        return {}
    known = frozenset[str]().union(*map(list_changes, train))
    pools: dict[str, list[str]] = {}
    for name in perturbations:
        own = list_changes(name)
        pool = TRAINED if own <= known else UNSEEN if own.isdisjoint(known) else ""
        if pool and pool not in perturbations:
            pools.setdefault(pool, []).append(name)
    return {name: pools[name] for name in (TRAINED, UNSEEN) if name in pools}


def describe_unseen(perturbations: Sequence[str], train: Sequence[str]) -> str:
    """Describes which perturbations of a plan were trained on; "" where nobody says."""
    if not train:
        return ""
    pools = pool_unseen(perturbations, train)
    told = [f"{name}: {', '.join(members)}" for name, members in pools.items()]
    rest = [name for name in perturbations if not any(name in each for each in pools.values())]
    return "; ".join([*told, *([f"trained in part: {', '.join(rest)}"] if rest else [])])
