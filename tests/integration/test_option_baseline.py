from __future__ import annotations

import json

import pytest
from conftest import Project

CELLS = ("C1",)
SUITE = 'perturbations = ["C1"]'


def slow(*values: str) -> object:
    return pytest.param(*values, marks=pytest.mark.slow)


def run(project: Project, model: str, *arguments: object) -> pytest.RunResult:
    return project.run("toy.toml", "--model", model, "--baseline=base.jsonl", *arguments)


def said(result: pytest.RunResult) -> str:
    """The printed text as one line, because the report wraps at 80 columns."""
    return " ".join(result.stdout.str().split())


def run_words(project: Project, *words: str) -> pytest.RunResult:
    model = project.record(broken=[3])
    return project.run(*words, "--model", model, "--baseline=base.jsonl")


@pytest.fixture
def based(project: Project) -> Project:
    """A project whose baseline has everything solved and robust: eight tasks can regress."""
    project.tasks += [{**project.tasks[i], "task_id": f"Toy/{i + 6}"} for i in range(2)]
    project.write_tasks()
    project.write_suite(SUITE)
    result = run(project, project.record(), "--update-baseline")
    result.stdout.fnmatch_lines(["baseline of toy written to *base.jsonl"])
    assert result.ret == 0
    return project


def text(project: Project) -> str:
    return (project.path / "base.jsonl").read_text()


def test_baseline_is_a_small_text_that_people_can_review(based: Project) -> None:
    header, *rows = map(json.loads, text(based).splitlines())
    assert header["suite"] == "toy"
    assert header["measured"]["cells"] == ["clean", "C1-s0"]
    assert len(rows) == 16
    assert rows[0] == {"task": "Toy/0", "perturbation": "clean", "seeds": {"0": "solved 1/1"}}
    assert rows[1] == {"task": "Toy/0", "perturbation": "C1", "seeds": {"0": "robust 1/1"}}


@pytest.mark.slow
def test_same_run_is_not_worse_and_changes_nothing(based: Project) -> None:
    before = text(based)
    based.write_suite(SUITE, sections="[baseline]\nmargin = 0.5")
    result = run(based, based.record(), "--coderobust-json=out.json")
    result.stdout.fnmatch_lines(
        [
            "newly fragile: 0 items",
            "unchanged: 16 items",
            "gate holds * not worse than the baseline*",
        ]
    )
    assert result.ret == 0
    assert text(based) == before
    assert based.json()["comparison"]["verdict"] == "not worse"  # type: ignore[index]


def test_broken_tasks_are_newly_fragile_and_a_regression_fails(based: Project) -> None:
    result = run(based, based.record(unsolved=range(8)), "--coderobust-json=out.json")
    result.stdout.fnmatch_lines(
        ["newly fragile: 16 items: Toy/0?clean?, *", "gate fails * (measured -1)"]
    )
    assert based.json()["comparison"]["verdict"] == "regressed"  # type: ignore[index]
    assert result.ret == 1


@pytest.mark.slow
def test_a_few_tasks_decide_nothing_and_that_fails_unless_the_suite_says_otherwise(
    based: Project,
) -> None:
    model = based.record(broken=[0])
    result = run(based, model)
    assert "newly fragile: 1 items: Toy/0[C1-s0] fixed: 0 items unchanged: 15" in said(result)
    assert "gate inconclusive not worse than the baseline by 0.05" in said(result)
    assert "a run like this detects a loss of" in said(result)
    assert result.ret == 1
    based.write_suite(SUITE, sections='[baseline]\ninconclusive = "pass"')
    assert run(based, model).ret == 0
    assert run(based, model, "--coderobust-no-gates").ret == 0


@pytest.mark.parametrize(
    "part",
    [
        ["toy.toml", "-k", "clean"],
        pytest.param(["toy.toml::Toy/0[C1-s0]"], marks=pytest.mark.slow),
        pytest.param(["toy.toml", "-x", "--coderobust-strict"], marks=pytest.mark.slow),
    ],
)
def test_part_of_a_run_leaves_the_baseline_and_fails(based: Project, part: list[str]) -> None:
    before = text(based)
    result = run_words(based, *part, "--update-baseline")
    result.stdout.fnmatch_lines(["*base.jsonl was not updated: * items not measured*"])
    assert result.ret == 1
    assert text(based) == before


@pytest.mark.slow
def test_part_of_a_run_is_not_compared(based: Project) -> None:
    result = run_words(based, "toy.toml", "-k", "clean")
    assert "gate not judged not worse than the baseline by 0.05: " in said(result)
    assert "items not measured" in said(result)
    assert result.ret == 1


@pytest.mark.slow
def test_interrupted_run_leaves_the_baseline(based: Project) -> None:
    before = text(based)
    based.pytester.makeconftest(
        "def pytest_runtest_teardown(item):\n    if 'Toy/3' in item.nodeid: raise KeyboardInterrupt\n"
    )
    result = run(based, based.record(unsolved=[1]), "--update-baseline")
    assert result.ret == 2
    assert text(based) == before


@pytest.mark.slow
def test_run_whose_processes_disagree_leaves_the_baseline(based: Project) -> None:
    before = text(based)
    based.pytester.makeconftest(
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_logreport(report):\n"
        "    for seen in getattr(report, 'coderobust_seen', ()):\n"
        "        if seen['task'] == 'Toy/3': seen['run'] = '0' * 64\n"
    )
    result = run(based, based.record(), "--update-baseline")
    result.stdout.fnmatch_lines(["*was not updated: the processes disagree about the model*"])
    assert result.ret == 1
    assert text(based) == before
    result = run(based, based.record())
    assert "gate not judged not worse than the baseline by 0.05: the processes" in said(result)
    assert result.ret == 1


@pytest.mark.parametrize(
    ("suite", "changed"),
    [
        (f'{SUITE}\nextraction = "raw"', "the extractor or its setting"),
        slow('perturbations = ["C2"]', "the perturbations or their seeds"),
        slow(f"{SUITE}\nlimit = 5", "the tasks, their prompts or how they are perturbed"),
        slow(f"{SUITE}\nsolved_at = 0.9", "solved_at"),
    ],
)
def test_changed_suite_is_detected_and_not_compared(
    based: Project, suite: str, changed: str
) -> None:
    based.write_suite(suite)
    result = run(based, based.record(cells=("C1", "C2")))
    assert "not comparable: " in said(result)
    assert changed in said(result)
    assert result.ret == 1


@pytest.mark.slow
def test_folder_holds_a_file_for_each_suite(project: Project) -> None:
    project.write_suite(SUITE)
    project.write_suite(SUITE, name="other.toml")
    model = project.record()
    words = ("toy.toml", "other.toml", "--model", model)
    result = project.run(*words, "--baseline=base", "--update-baseline")
    assert result.ret == 0
    assert sorted(p.name for p in (project.path / "base").iterdir()) == ["other.jsonl", "toy.jsonl"]
    result = project.run(*words, "--baseline=one.jsonl", "--update-baseline")
    told = "*one.jsonl was not updated for toy: this run wrote another suite's there; name a folder"
    result.stdout.fnmatch_lines([told])
    assert result.ret == 1


@pytest.mark.slow
def test_two_suites_of_one_name_are_told_to_take_two_names(project: Project) -> None:
    project.write_suite(SUITE)
    project.write_suite(f'name = "toy"\n{SUITE}', name="other.toml")
    words = ("toy.toml", "other.toml", "--model", project.record())
    result = project.run(*words, "--baseline=base", "--update-baseline")
    result.stdout.fnmatch_lines(["*another suite's there; give each suite a name of its own"])
    assert result.ret == 1


@pytest.mark.slow
def test_missing_baseline_is_told(project: Project) -> None:
    project.write_suite(SUITE)
    result = run(project, project.record())
    assert "is missing: add --update-baseline once" in said(result)
    assert result.ret == 1


def test_malformed_baseline_is_refused_before_a_model_loads(project: Project) -> None:
    project.write_suite(SUITE)
    (project.path / "base.jsonl").write_text("<<<<<<< ours\n")
    result = project.run("toy.toml", "--model=tiny", "--baseline=base.jsonl")
    result.stderr.fnmatch_lines(
        ["ERROR: --baseline *base.jsonl:1: is not a valid line of a baseline: '<<<<<<< ours'*"]
    )
    assert result.ret == 4


@pytest.mark.slow
def test_options_that_contradict_each_other_are_refused(project: Project) -> None:
    project.write_suite(SUITE)
    result = project.run("toy.toml", "--model=oracle", "--update-baseline")
    result.stderr.fnmatch_lines(["ERROR: --update-baseline needs --baseline PATH*"])
    assert result.ret == 4
    words = ("--baseline=b.jsonl", "--update-baseline", "--perturb=C2")
    assert project.run("toy.toml", "--model=oracle", *words).ret == 4


@pytest.mark.slow
def test_alias_is_left_to_a_conftest_that_owns_it(project: Project) -> None:
    project.pytester.makeconftest(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--update-baseline', action='store_true', dest='theirs')\n"
    )
    project.write_suite(SUITE)
    result = project.run("toy.toml", "--model", project.record(), "--update-baseline")
    assert result.ret == 0
    assert not (project.path / "base.jsonl").exists()
