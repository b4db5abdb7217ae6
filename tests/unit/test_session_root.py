"""A project's root is pytest's root directory, wherever somebody asks from."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from _pytest.config.findpaths import determine_setup
from hypothesis import given
from hypothesis import strategies as st

from pytest_coderobust.session.root import find_root

FILES = {
    "pytest.ini": ["", "[pytest]\n"],
    ".pytest.ini": [""],
    "pytest.toml": [""],
    "pyproject.toml": [
        "", "[tool.pytest.ini_options]\n", '[tool.pytest.ini_options]\nminversion = "8"\n',
        "[tool.coderobust]\n", "[project]\nname = 'x'\n",
    ],
    "tox.ini": ["", "[pytest]\n", "[tox]\n"],
    "setup.cfg": ["", "[tool:pytest]\n", "[metadata]\n"],
    "setup.py": [""],
}  # fmt: skip
FOLDERS = [".", "a", "a/b", "a/b/c", "d"]
files = st.dictionaries(
    st.tuples(st.sampled_from(FOLDERS), st.sampled_from(sorted(FILES))),
    st.integers(0, 4),
    max_size=4,
)


def pytests_root(start: Path, working: Path) -> Path:
    """The root directory that pytest finds when it is given a suite in a folder."""
    found = determine_setup(
        inifile=None,
        override_ini=None,
        args=[str(start / "suite.toml")],
        rootdir_cmd_arg=None,
        invocation_dir=working,
    )
    return found[0]


@given(files, st.sampled_from(FOLDERS), st.sampled_from(FOLDERS))
def test_the_root_is_pytests(made: dict[tuple[str, str], int], start: str, working: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch).resolve()
        for folder in FOLDERS:
            (root / folder).mkdir(exist_ok=True)
        for (folder, name), which in made.items():
            texts = FILES[name]
            (root / folder / name).write_text(texts[which % len(texts)])
        (root / start / "suite.toml").write_text("[suite]\n")
        assert find_root(root / start, root / working) == (
            pytests_root(root / start, root / working)
        )


def test_a_pyproject_that_does_not_parse_is_still_a_root(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[broken")
    (tmp_path / "sub").mkdir()
    assert find_root(tmp_path / "sub") == tmp_path


def test_a_link_to_a_folder_leads_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "real" / "sub").mkdir(parents=True)
    (tmp_path / "real" / "pytest.ini").write_text("")
    try:
        (tmp_path / "link").symlink_to(tmp_path / "real")
    except OSError:
        pytest.skip("no links here")
    assert find_root(tmp_path / "link" / "sub") == tmp_path / "real"
