"""Perturbations of prompts for code models.

Every perturbation is a set of edits. A seed makes the draw repeatable, and any failing set of edits
shrinks towards the clean prompt.
"""

from __future__ import annotations

from coderobust_strategies.catalogue import candidate_sites, check_names, level, lookup, names
from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.perturbation import (
    Perturbation,
    PerturbationError,
    RewriterNeeded,
    UnknownPerturbation,
)
from coderobust_strategies.variant import Perturbed, perturb

__all__ = [
    "Edit",
    "Perturbation",
    "PerturbationError",
    "Perturbed",
    "RewriterNeeded",
    "UnknownPerturbation",
    "apply_edits",
    "candidate_sites",
    "check_names",
    "level",
    "lookup",
    "names",
    "perturb",
]
