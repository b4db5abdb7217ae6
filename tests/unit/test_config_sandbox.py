"""The table `[sandbox]`: packages by name, and the keys that depend on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_coderobust import records
from pytest_coderobust.config.suite import SuiteConfig, read_suite
from pytest_coderobust.engine.keys import (
    digest_judge,
    find_packages,
    make_comparison_basis,
    make_verdict_key,
)
from pytest_coderobust.errors import ConfigError
from pytest_coderobust.records import Packages, digest
from pytest_coderobust.sandbox import JUDGE_VERSION
from pytest_coderobust.sandbox.check import Check

CHECK = Check("def f(): ...", "f", records.Tests("assert f() is None", "asserts"))


def read(tmp_path: Path, sandbox: str) -> SuiteConfig:
    path = tmp_path / "s.toml"
    path.write_text(f'[suite]\ntasks = "humaneval"\n[sandbox]\n{sandbox}\n')
    return read_suite(path)


def test_packages_are_none_unless_named(tmp_path: Path) -> None:
    assert read(tmp_path, "").packages == ()
    assert not find_packages(read(tmp_path, ""))
    assert read(tmp_path, 'packages = ["numpy", "pandas"]').packages == ("numpy", "pandas")
    assert read(tmp_path, 'packages = "numpy"').packages == ("numpy",)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ('["numpy==2"]', "'numpy==2' is no distribution's name; versions and extras have no place"),
        ('["pandas[excel]"]', "'pandas[excel]' is no distribution's name"),
        ('["../numpy"]', "'../numpy' is no distribution's name"),
        ('[""]', "'' is no distribution's name"),
        ('["numpy", "pandas", "NumPy"]', "numpy is listed twice"),
        ("3", "must be a list of strings"),
    ],
)
def test_what_is_no_name_is_refused_with_its_place(
    tmp_path: Path, value: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"packages = {value}")
    assert f"{tmp_path / 's.toml'}: [sandbox] packages = " in str(caught.value)
    assert problem in str(caught.value)


def test_a_missing_one_is_named_with_its_place(tmp_path: Path) -> None:
    config = read(tmp_path, 'packages = ["panda"]')
    with pytest.raises(ConfigError) as caught:
        find_packages(config)
    assert str(caught.value) == (
        f"{tmp_path / 's.toml'}: [sandbox] packages: 'panda' is not installed; "
        "did you mean 'pandas'?"
    )


def test_packages_are_for_python_alone(tmp_path: Path) -> None:
    config = read(tmp_path, 'packages = ["numpy"]')
    assert find_packages(config, "python").names == ("numpy",)
    assert not find_packages(config, "cpp")


def test_keys_without_packages_are_what_they_were() -> None:
    """Written out: a ledger of last year must still be read."""
    judged = [CHECK.solution, ["assert f() is None", "asserts", ""], "f", "python"]
    limits = [5.0, 0.0, 20.0, 1024, 1 << 20, 16 << 20]
    expected = digest("verdict", judged, [[], False], limits, [JUDGE_VERSION, "", "ns"])
    assert make_verdict_key(CHECK, "ns") == expected
    config = SuiteConfig(Path("s.toml"), "s", "humaneval")
    basis = make_comparison_basis("p" * 64, config)
    assert basis["judge"] == digest("judge", JUDGE_VERSION)[:16]


def test_every_version_is_part_of_every_key(tmp_path: Path) -> None:
    config = read(tmp_path, 'packages = ["numpy", "pandas"]')
    plain = read(tmp_path, "")
    assert digest_judge(config, "ns") != digest_judge(plain, "ns")
    assert make_comparison_basis("p" * 64, config) != make_comparison_basis("p" * 64, plain)
    found = find_packages(config)
    keys = {make_verdict_key(CHECK, "ns"), make_verdict_key(replace(CHECK, packages=found), "ns")}
    for at in range(len(found.versions)):
        versions = list(found.versions)
        versions[at] = (versions[at][0], "0.0")
        other = Packages(found.names, tuple(versions))
        keys.add(make_verdict_key(replace(CHECK, packages=other), "ns"))
    keys.add(make_verdict_key(replace(CHECK, packages=Packages(("numpy",), found.versions)), "ns"))
    assert len(keys) == len(found.versions) + 3
