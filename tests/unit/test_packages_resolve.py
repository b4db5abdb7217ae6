"""Names of distributions: resolved with what they require, refused by name, shown file by file."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path

import pytest
from support.distributions import lay_distribution

from pytest_coderobust.errors import ConfigError
from pytest_coderobust.sandbox.judge.showing import leave_out
from pytest_coderobust.sandbox.packages.files import find_package_files, find_shown
from pytest_coderobust.sandbox.packages.resolve import resolve


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the import path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_requirements_come_along_as_their_markers_say(site: Path) -> None:
    needs = [
        "resolve-below>=9; python_version >= '3'",
        "absent; python_version < '3'",
        "absent-too; extra == 'more'",
        "resolve.rich[sweet]",
    ]
    lay_distribution(site, "Resolve_Top", {"resolve_top.py": ""}, requires=needs)
    lay_distribution(site, "resolve-below", {"below.py": ""}, version="2.5")
    sweet = ["resolve-sugar; extra == 'sweet'", "absent; extra == 'sour'"]
    lay_distribution(site, "resolve-rich", {"rich.py": ""}, requires=sweet)
    lay_distribution(site, "resolve-sugar", {"sugar.py": ""}, version="3")
    found = resolve(("Resolve.top",))
    assert found.names == ("resolve-top",)
    assert found.versions == (
        ("resolve-below", "2.5"),
        ("resolve-rich", "1.0"),
        ("resolve-sugar", "3"),
        ("resolve-top", "1.0"),
    )
    assert found.label.startswith("resolve-below 2.5, resolve-rich 1.0")


def test_the_order_of_names_makes_no_difference() -> None:
    assert resolve(("pandas", "numpy")) == resolve(("numpy", "pandas"))


def test_the_versions_are_those_that_are_installed() -> None:
    found = dict(resolve(("numpy", "pandas")).versions)
    assert found["numpy"] == metadata.version("numpy")
    assert found["pandas"] == metadata.version("pandas")
    assert found["python-dateutil"] == metadata.version("python-dateutil")
    assert "pytest" not in found  # of its extra "test" alone


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nunpy", "s.toml: 'nunpy' is not installed; did you mean 'numpy'?"),
        (
            "dateutil",
            "'dateutil' is not installed; the module of that name is in 'python-dateutil'",
        ),
    ],
)
def test_a_missing_one_is_named_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve((name,), "s.toml")
    assert message in str(caught.value)


def test_a_missing_requirement_is_named_with_who_needs_it(site: Path) -> None:
    lay_distribution(site, "resolve-hungry", {"hungry.py": ""}, requires=["no-such-food"])
    with pytest.raises(ConfigError, match="'no-such-food', which 'resolve-hungry' needs, is not"):
        resolve(("resolve-hungry",))


def test_what_has_no_files_of_its_own_is_refused_by_name(site: Path) -> None:
    lay_distribution(site, "resolve-linked", {}, editable=True)
    lay_distribution(site, "resolve-bare", {"bare.py": ""}, record=())
    lay_distribution(site, "resolve-path", {"resolve_path.pth": f"# ours\n{site}\n"})
    lay_distribution(site, "resolve-odd", {"odd.py": ""}, requires=["!!"])
    for name, reason in (
        ("resolve-linked", "is installed editable"),
        ("resolve-bare", "has no RECORD"),
        ("resolve-path", "is found by a path in resolve_path.pth"),
        ("resolve-odd", "requires what cannot be read: '!!'"),
    ):
        with pytest.raises(ConfigError, match=f"'{name}' {reason}"):
            resolve((name,))


def test_a_requirement_is_refused_as_well(site: Path) -> None:
    lay_distribution(site, "resolve-below-link", {}, editable=True)
    lay_distribution(site, "resolve-above", {"above.py": ""}, requires=["resolve-below-link"])
    message = "'resolve-below-link', which 'resolve-above' needs, is installed editable"
    with pytest.raises(ConfigError, match=message):
        resolve(("resolve-above",))


def test_a_pth_file_that_adds_no_path_is_no_obstacle(site: Path) -> None:
    files = {"resolve_hook.pth": "import sys\n", "resolve_hook.py": ""}
    lay_distribution(site, "resolve-hook", files)
    (shown,) = find_package_files(resolve(("resolve-hook",))).shown
    assert "resolve_hook.py" in shown
    assert "resolve_hook.pth" not in shown


def test_a_folder_is_shown_whole_only_where_all_in_it_is_recorded(site: Path) -> None:
    own = {"pure/__init__.py": "", "pure/deep/a.py": "", "shared/ours/b.py": "", "shared/c.py": ""}
    lay_distribution(site, "resolve-shared", own)
    (site / "shared" / "theirs.py").write_text("")
    (site / "shared" / "ours" / "__pycache__").mkdir()
    (site / "shared" / "ours" / "__pycache__" / "b.cpython-311.pyc").write_bytes(b"")
    (site / "pure" / "__pycache__").mkdir()
    (site / "pure" / "__pycache__" / "__init__.cpython-311.opt-1.pyc").write_bytes(b"")
    files = find_package_files(resolve(("resolve-shared",)))
    assert files.roots == (str(site),)
    (shown,) = files.shown
    assert shown == ("pure", "resolve_shared-1.0.dist-info", "shared/c.py", "shared/ours")
    assert files.modules == (("resolve-shared", "pure"),)  # the other has no __init__.py
    (site / "pure" / "__pycache__" / "foreign.cpython-311.pyc").write_bytes(b"")
    (shown,) = find_package_files(resolve(("resolve-shared",))).shown
    assert "pure" not in shown
    assert "pure/deep" in shown


def test_files_outside_the_root_and_missing_ones_are_not_shown(site: Path) -> None:
    (site.parent / "secret").write_text("")
    record = ["own.py", "../secret", "/etc/passwd", "gone.py", "sub/../../secret", "gone/d.py"]
    lay_distribution(site, "resolve-sly", {"own.py": ""}, record=record)
    (shown,) = find_package_files(resolve(("resolve-sly",))).shown
    assert shown == ("own.py",)


def test_links_into_the_rest_of_the_machine_are_not_followed(site: Path) -> None:
    (site / "pkg").mkdir()
    (site / "pkg" / "unrecorded").symlink_to("/etc")
    (site / "pkg" / "__init__.py").write_text("")
    assert find_shown(site, ["pkg/__init__.py"]) == ["pkg/__init__.py"]
    (site / "top").symlink_to("/etc")
    assert find_shown(site, ["top/passwd"]) == []


def test_everything_of_numpy_is_shown_and_nothing_else_of_its_folder() -> None:
    files = find_package_files(resolve(("numpy",)))
    (root,), (shown,) = files.roots, files.shown
    listed = {str(each) for each in metadata.distribution("numpy").files or ()}
    for name in shown:
        for folder, _, names in os.walk(Path(root, name)):
            for each in names:
                path = Path(folder, each).relative_to(root)
                source = path.parent.parent / f"{path.name.partition('.')[0]}.py"
                assert str(path) in listed or str(source) in listed, path
    inside = [name for name in listed if not name.startswith("..")]
    assert all(any(name == top or name.startswith(f"{top}/") for top in shown) for name in inside)


def test_a_hidden_folder_is_cut_out_of_those_around_it(tmp_path: Path) -> None:
    for name in ("lib/python/site-packages/foreign", "lib/python/json", "lib/other", "share"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lib64").symlink_to("lib")
    hidden = {tmp_path / "lib/python/site-packages"}
    paths = [tmp_path / name for name in ("lib", "lib64", "share")]
    cut = [tmp_path / name for name in ("lib/other", "lib/python/json")]
    link, rest = tmp_path / "lib64", tmp_path / "share"
    assert list(leave_out(paths, hidden, mounted=True)) == [*cut, link, rest]
    # Landlock would allow what the link leads to.
    assert list(leave_out(paths, hidden, mounted=False)) == [*cut, *cut, rest]
    assert list(leave_out(paths, {tmp_path / "elsewhere"}, mounted=True)) == paths


def test_this_environment_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_coderobust.sandbox.judge.showing import find_site_folders

    library = Path(os.__file__).parent
    monkeypatch.setattr(sys, "path", [*sys.path, "/etc", str(library.parent), str(library)])
    found = set(find_site_folders())
    assert {"/etc", str(metadata.distribution("numpy").locate_file(""))} <= found
    assert not {str(library), str(library.parent)} & found  # or nothing would run at all
