"""Names are looked up without importing the code behind them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coderobust_strategies import (
    PerturbationError,
    UnknownPerturbation,
    check_names,
    level,
    lookup,
    names,
)

LIGHT = """
import sys
import coderobust_strategies as cs
cs.check_names(list(cs.names()) * 1000)
[cs.level(name) for name in cs.names()]
heavy = {"torch", "transformers", "pytest", "nltk", "hypothesis", "lemminflect", "numpy", "rich"}
loaded = {name.partition(".")[0] for name in sys.modules}
assert not heavy & loaded, heavy & loaded
behind = {"character", "word", "sentence", "speech", "lexicon", "audit", "nlperturbator"}
ours = {name.rpartition(".")[2] for name in sys.modules if name.startswith("coderobust_strategies")}
assert not behind & ours, behind & ours
print("light")
"""
ANEW = """
import sys
from importlib import import_module
from pkgutil import iter_modules
import coderobust_strategies as cs
exported = {name: getattr(cs, name) for name in cs.__all__}
for found in iter_modules(cs.__path__):
    sys.modules.pop(f"coderobust_strategies.{found.name}", None)
    import_module(f"coderobust_strategies.{found.name}")
assert all(getattr(cs, name) is value for name, value in exported.items()), vars(cs)
print("kept")
"""


def test_importing_and_checking_names_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.strip() == "light", done.stderr


def test_importing_a_module_anew_replaces_nothing_that_the_package_exports() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ANEW], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.strip() == "kept", done.stderr


def test_every_name_looks_itself_up_and_has_a_level() -> None:
    assert {"C1", "C2", "C3", "C"} <= set(names())
    for name in names():
        assert lookup(name).name == name
        assert level(name) in {"character", "word", "sentence", "mixed"}
    assert {level(name) for name in ("C1", "C2", "C3", "C")} == {"character"}


def test_members_of_an_aggregate_exist() -> None:
    for name in names():
        check_names(lookup(name).members)


@pytest.mark.parametrize(("wrong", "meant"), [("c1", "C1"), ("C11", "C1"), ("C 3", "C3")])
def test_a_near_miss_is_offered_the_name_it_meant(wrong: str, meant: str) -> None:
    with pytest.raises(UnknownPerturbation, match=f"did you mean {meant!r}") as caught:
        check_names(["C2", wrong])

    assert caught.value.name == wrong
    assert set(names()) < set(caught.value.known)
    assert isinstance(caught.value, PerturbationError)


def test_a_name_like_no_other_gets_the_list() -> None:
    with pytest.raises(UnknownPerturbation, match=r"unknown perturbation '§§§' \(valid: C1, "):
        lookup("§§§")


def test_frequency_levels_are_suffixes_of_scalable_names() -> None:
    assert lookup("nlp:A2x3").parts[0].rate == pytest.approx(0.45)
    assert lookup("nlp:C1x2").parts[0].rate == pytest.approx(0.03)
    for name in ("nlp:A2x4", "nlp:E3x2", "C1x2", "x2"):
        with pytest.raises(UnknownPerturbation):
            lookup(name)
    assert "nlp:A2x3" not in names()


def test_the_papers_sets_are_complete_but_for_what_needs_an_engine() -> None:
    liu = {"C1", "C2", "C3", "W1", "W2", "W3", "S2", "S3", "C", "W", "S", "mix_all"}
    sizes = {"A": 4, "D": 4, "E": 6, "S": 2, "C": 3}
    nlp = {f"nlp:{code}{number + 1}" for code, size in sizes.items() for number in range(size)}

    assert len(nlp) == 19
    assert liu | nlp <= set(names())
    assert set(lookup("mix_all").members) == liu - {"C", "W", "S", "mix_all"}
