"""`run`: the same numbers, ledger and bytes as a run of pytest, from one call."""

from __future__ import annotations

import base64
import contextlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import scipy.stats  # noqa: F401 - pytester forgets what is imported during a test
from conftest import WRONG, Project
from support.hunt_model import Reader

from pytest_coderobust import LedgerError, Scripted, SuiteResult, UsageError, hunt, run
from pytest_coderobust.errors import ConfigError

with contextlib.suppress(ImportError):
    import pandas as pd  # noqa: F401 - as scipy: some modules cannot be imported twice

SUITE = """perturbations = ["C1", "C2"]
seeds = 2
gates = ["rd[C1] <= 0.1", "pass@1 >= 0.2"]
"""
MODEL = "scripted:canonical@0.7"


def run_toy(project: Project, model: object = MODEL, **chosen: object) -> SuiteResult:
    values = {"ledger": project.path / "python.sqlite", "sandbox_workers": 1, **chosen}
    return run(project.path / "toy.toml", model, **values)  # type: ignore[arg-type]


def answer_by(broken: set[str]) -> Scripted:
    """A model that solves every clean prompt, and the variants of all tasks but some."""
    return Scripted(
        lambda row: (
            WRONG
            if row.variant.task.id in broken and not row.variant.cell.is_clean
            else str(row.variant.task.canonical)
        ),
        name=f"breaks {sorted(broken)}",
    )


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ((), {}),
        (("--perturb", "W2", "--coderobust-no-gates"), {"perturb": "W2", "no_gates": True}),
        (("--budget", "7"), {"budget": 7}),
        (("--coderobust-early",), {"early": True}),
        (("--noise-floor",), {"noise_floor": True}),
    ],
    ids=["plain", "perturb", "budget", "early", "noise floor"],
)
def test_the_json_is_that_of_pytest(
    project: Project, words: tuple[str, ...], chosen: dict[str, object]
) -> None:
    project.write_suite(SUITE)
    done = project.run("toy.toml", "--model", MODEL, "--coderobust-json=out.json", *words)
    found = run_toy(project, **chosen)
    assert found.to_json().encode() == (project.path / "out.json").read_bytes()
    assert found.failed is (done.ret == 1)


@pytest.mark.slow
def test_the_json_of_edited_models_is_that_of_pytest(project: Project) -> None:
    (project.path / "toy.toml").write_text(
        '[suite]\ntasks = "quickstart"\nlimit = 6\nperturbations = ["C1", "C2"]\n'
        'gates = ["rd[C1] <= 0.4"]\n[sampling]\nmax_new_tokens = 64\n'
    )
    words = ("--model", "tiny", "--edit", "ft:layer=2", "--coderobust-json=out.json")
    project.run("toy.toml", *words)
    program = (
        "from pytest_coderobust import run\n"
        "found = run('toy.toml', 'tiny', edit='ft:layer=2', ledger='python.sqlite')\n"
        "open('python.json', 'w').write(found.to_json())\n"
    )
    # In a process of its own: torch cannot be imported twice in one, as pytester would have it.
    subprocess.run([sys.executable, "-c", program], cwd=project.path, check=True)
    spent = re.compile(r'"(seconds|peak_mb)": [^,\n]*')  # each made its edits itself
    texts = [(project.path / name).read_text() for name in ("python.json", "out.json")]
    assert spent.sub("", texts[0]) == spent.sub("", texts[1])
    assert spent.search(texts[1])


def test_a_run_goes_on_in_the_ledger_of_pytest(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_suite(SUITE)
    project.run("toy.toml", "--model", MODEL, "--coderobust-html=out.html", "-k", "C1")
    generated: list[int] = []
    own = Scripted.generate

    def count(self: Scripted, rows: object, sampling: object) -> object:
        generated.append(len(rows))  # type: ignore[arg-type]
        return own(self, rows, sampling)  # type: ignore[arg-type]

    monkeypatch.setattr(Scripted, "generate", count)
    monkeypatch.chdir(project.path)
    found = run("toy.toml", MODEL, sandbox_workers=1)
    assert sum(generated) == 6 * 2, "C1 and the clean prompts are there, C2 is not"
    assert found.ledger == project.path / ".coderobust" / "ledger.sqlite"
    project.run("toy.toml", "--model", MODEL, "--coderobust-html=out.html")
    page = found.report(project.path / "new" / "page.html")
    assert page.read_bytes() == (project.path / "out.html").read_bytes()


def test_values_are_those_of_the_document(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]\ngates = ["rd[C1] <= 0.1", "pass@1 >= 0.5"]')
    found = run_toy(project, answer_by({"Toy/1", "Toy/2"}))
    assert (found.suite, found.model) == ("toy", "breaks ['Toy/1', 'Toy/2']")
    assert found.complete
    assert found.metrics["C1"]["rd"] == pytest.approx(2 / 6)
    assert [gate["outcome"] for gate in found.gates] == ["fails", "holds"]
    assert [item["task"] for item in found.items if item["status"] == "broken"] == [
        "Toy/1", "Toy/2",
    ]  # fmt: skip
    assert found.failed
    assert "rd[C1] <= 0.1" in str(found)
    assert repr(found) == (
        "<SuiteResult 'toy' on \"breaks ['Toy/1', 'Toy/2']\": gates: 1 fails, 1 holds>"
    )


def test_a_limit_and_gates_of_the_call_are_those_of_the_run(project: Project) -> None:
    project.write_suite(SUITE)
    found = run_toy(project, limit=2, gates=["pass@1 >= 0.9"], perturb=["C1"])
    assert found.metrics["clean"]["n"] == 2
    assert [gate["gate"] for gate in found.gates] == ["pass@1 >= 0.9"]
    with pytest.raises(ConfigError, match="pass@7"):
        run_toy(project, gates=["pass@7 >= 0.9"])
    with pytest.raises(UsageError, match="limit 0 must be a whole number from 1"):
        run_toy(project, limit=0)


def test_no_perturbations_are_the_clean_prompts_alone(project: Project) -> None:
    project.write_suite(SUITE)
    assert list(run_toy(project, perturb=[], gates=[]).metrics) == ["clean"]
    with pytest.raises(UsageError, match=r"perturb \{'C1'\} must be a name or a list of names"):
        run_toy(project, perturb={"C1"})


def test_a_set_of_tasks_needs_no_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.path)
    found = run("quickstart", answer_by(set()), limit=3, perturb="C1", sandbox_workers=1)
    assert found.metrics["clean"]["pass@1"] == 1.0
    assert not found.failed


def test_two_results_are_compared_item_by_item(project: Project) -> None:
    project.write_suite('perturbations = ["C1"]')
    before, after = (run_toy(project, answer_by(names)) for names in ({"Toy/0"}, {"Toy/3"}))
    found = after.compare(before)
    assert found.newly_broken == ("Toy/3[C1-s0]",)
    assert found.newly_fixed == ("Toy/0[C1-s0]",)
    assert found.verdict == "inconclusive"
    assert found.changes[0]["condition"] == "clean"
    shown = found._repr_html_()
    assert "newly fragile: 1 items: Toy/3[C1-s0]" in shown
    assert "1 newly broken, 1 newly fixed" in repr(found)
    other = run_toy(project, answer_by(set()), perturb="C2")
    with pytest.raises(UsageError, match="cannot be compared"):
        after.compare(other)
    for margin in (float("nan"), -0.01, 5):
        with pytest.raises(UsageError, match="does not lie between 0 and 1"):
            after.compare(before, margin=margin)


def test_a_notebook_shows_a_picture_and_a_table_without_a_script(project: Project) -> None:
    name = "<script>alert(1)</script>\x1b[31m"
    project.write_suite('perturbations = ["C1"]')
    model = Scripted(lambda row: str(row.variant.task.canonical), name=name)
    shown = run_toy(project, model)._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[31m" in shown
    assert not re.search(r"(?:src|href)=.(?!data:)", shown)
    assert "<td>C1</td><td>6</td><td>1.000 (0.61\u20131.00)</td><td>0.000" in shown
    picture = base64.b64decode(re.findall(r"svg\+xml;base64,([^\"]+)", shown)[0]).decode()
    assert picture.startswith("<svg")
    assert ">C1</text>" in picture
    assert (
        'alt="pass@1, clean to perturbed: C1 1.000 to 1.000" src="data:image/svg+xml;base64,'
        in shown
    )


def test_frames_hold_the_numbers(project: Project) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    project.write_suite('perturbations = ["C1"]')
    found = run_toy(project, answer_by({"Toy/1"}))
    frame = found.to_frame()
    assert list(frame.index) == list(found.metrics)
    assert frame.loc["C1", "rd"] == found.metrics["C1"]["rd"]
    low, high = found.metrics["C1"]["intervals"]["rd"]
    assert tuple(frame.loc["C1", ["rd low", "rd high"]]) == (low, high)
    items = found.to_frame(items=True)
    assert list(items["status"]) == [item["status"] for item in found.items]


def test_without_pandas_one_sentence_says_so(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write_suite()
    found = run_toy(project, limit=1)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"^to_frame\(\) needs pandas: pip install pandas$"):
        found.to_frame()


def test_a_page_needs_its_ledger(project: Project, tmp_path: Path) -> None:
    project.write_suite()
    found = run_toy(project, limit=1)
    found.ledger.unlink()
    with pytest.raises(LedgerError, match=r"python\.sqlite: the ledger of this run is gone"):
        found.report(tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("suite", "model", "chosen", "error", "told"),
    [
        ("toy.tml.toml", "tiny", {}, UsageError, "no such suite file"),
        ("quickstrat", "oracle", {}, UsageError, "did you mean 'quickstart'"),
        ("toy.toml", "tinny", {}, UsageError, "did you mean 'tiny'"),
        ("toy.toml", "oracle", {"perturb": "C77"}, UsageError, "unknown perturbation 'C77'"),
        ("toy.toml", "oracle", {"edit": "ft"}, UsageError, "has no weights to edit"),
        ("toy.toml", "oracle", {"budget": "3x"}, UsageError, "budget '3x'"),
        ("toy.toml", "oracle", {"devcie": "cpu"}, TypeError, "did you mean 'device'"),
        ("toy.toml", "oracle", {"device": "gpu"}, UsageError, "device 'gpu' must be one of"),
    ],
)
def test_a_wrong_wish_is_refused_in_one_sentence(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    suite: str,
    model: str,
    chosen: dict[str, object],
    error: type[Exception],
    told: str,
) -> None:
    project.write_suite()
    monkeypatch.chdir(project.path)
    with pytest.raises(error, match=re.escape(told)):
        run(suite, model, **chosen)  # type: ignore[arg-type]


def test_a_hunt_is_one_call(project: Project) -> None:
    project.write_suite()
    model = Reader(lambda prompt: float("twice" not in prompt and "double" in prompt))
    (found,) = hunt(
        project.path / "toy.toml", model, "Toy/0", perturb="C1", budget=40, sandbox_workers=1
    )
    assert found.task_id == "Toy/0"
    assert found.failure is not None
    assert "twice" not in found.failure.broken.prompt
