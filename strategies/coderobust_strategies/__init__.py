"""Prompt perturbations for code models: one edit space, deterministic, shrinkable."""

from __future__ import annotations

from coderobust_strategies.catalogue import candidate_sites, check_names, level, lookup, names
from coderobust_strategies.edit import Edit, apply_edits
from coderobust_strategies.perturb import Perturbed, perturb
from coderobust_strategies.perturbation import (
    Perturbation,
    PerturbationError,
    RewriterNeeded,
    UnknownPerturbation,
)

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
