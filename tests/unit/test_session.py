"""A session opens what it needs when it needs it, and only sessions open models and ledgers."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from support.hunt_model import Reader, write_suite

import pytest_coderobust
from pytest_coderobust.config.settings import Settings
from pytest_coderobust.engine.edited.measurement import EditedMeasurement
from pytest_coderobust.errors import ConfigError, UsageError
from pytest_coderobust.records import Cell, Status
from pytest_coderobust.session.choices import Choices
from pytest_coderobust.session.hunting import find_breaking_prompt
from pytest_coderobust.session.models import list_known_models
from pytest_coderobust.session.session import Session, open_session

PACKAGE = Path(pytest_coderobust.__file__).parent
OPENERS = {"open_backend": ("session", "models"), "Ledger": ("session", "ledger", "cli/report.py")}
"""The calls that build the graph of a run, and the rooms that may make them; the report's command reads old ledgers."""


def calls(path: Path) -> set[str]:
    """The names of all functions and classes that a module calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {node.id for node in called if isinstance(node, ast.Name)}


@pytest.mark.parametrize("opener", OPENERS)
def test_only_a_session_opens(opener: str) -> None:
    allowed = OPENERS[opener]
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if opener in calls(path)
    }
    assert any(name.startswith("session/") for name in found)
    assert {name for name in found if not name.startswith(allowed)} == set()


def solve_always(_prompt: str) -> float:
    """The chance of failing: none."""
    return 0.0


def session_of(folder: Path, **chosen: object) -> Session:
    choices = Choices(ledger=folder / "ledger.sqlite", sandbox_workers=1, **chosen)  # type: ignore[arg-type]
    return Session(choices, Settings(), folder, backend=Reader(solve_always))


def test_nothing_is_opened_before_it_is_used(tmp_path: Path) -> None:
    write_suite(tmp_path)
    with session_of(tmp_path) as session:
        assert session.suite("toy.toml").plan.tasks
        assert not (tmp_path / "ledger.sqlite").exists()
        assert session.tier == ""


def test_a_suite_is_measured_and_its_listener_hears_of_it(tmp_path: Path) -> None:
    write_suite(tmp_path)
    heard: list[object] = []
    with session_of(tmp_path) as session:
        session.listeners.append(heard.append)
        measurement = session.suite("toy.toml").measurement
        (task,) = measurement.plan.tasks.values()
        assert measurement.measure(task, Cell()).observation.status is Status.SOLVED
    assert heard


def test_a_suite_is_opened_once(tmp_path: Path) -> None:
    write_suite(tmp_path)
    with session_of(tmp_path) as session:
        assert session.suite("toy.toml") is session.suite("toy.toml")
        assert session.suite("toy.toml").measurement is session.suite("toy.toml").measurement


def test_a_borrowed_model_stays_open(tmp_path: Path) -> None:
    closed: list[bool] = []
    write_suite(tmp_path)
    with session_of(tmp_path) as session:
        session.backend.close = lambda: closed.append(True)  # type: ignore[method-assign]
        assert session.suite("toy.toml").measurement
    assert closed == []


def test_suites_are_wanted_in_the_order_of_their_first_square(tmp_path: Path) -> None:
    with session_of(tmp_path) as session:
        session.suite("a")  # named first, wanted last
        session.want([("b", ("t", Cell())), ("a", ("t", Cell())), ("b", ("u", Cell()))])
        assert [suite.reference for suite in session.wanted] == ["b", "a"]
        assert [len(suite.wanted) for suite in session.wanted] == [2, 1]


def test_a_suite_of_the_settings_is_known_by_its_stem(tmp_path: Path) -> None:
    path = write_suite(tmp_path)
    settings = Settings(suites=(path,))
    session = Session(Choices(), settings, tmp_path, backend=Reader(solve_always))
    assert session.suite("toy").plan.config.path == path


def test_a_reference_is_a_path_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with session_of(tmp_path / "sub") as session:
        assert session.refer(tmp_path / "sub" / "x.toml") == "x.toml"
        assert session.refer(tmp_path / "x.toml") == str(tmp_path / "x.toml")


def test_perturb_takes_the_place_of_the_suites_own(tmp_path: Path) -> None:
    write_suite(tmp_path, sections='perturbations = ["C1"]\ngates = ["rd[C1] <= 0.5"]')
    with session_of(tmp_path, perturb=("C2",)) as session:
        suite = session.suite("toy.toml")
        assert [cell.perturbation for cell in suite.plan.cells] == ["clean", "C2"]
        assert len(suite.gates) == 1, "its condition is not planned, so it is not judged"
    with session_of(tmp_path, perturb=("C77",)) as session, pytest.raises(ConfigError, match="C77"):
        _ = session.suite("toy.toml").plan


def test_an_edited_suite_has_no_single_model(tmp_path: Path) -> None:
    (tmp_path / "q.toml").write_text(
        '[suite]\ntasks = "quickstart"\nlimit = 1\n[edit]\neditor = ["ft"]'
    )
    choices = Choices(model="tiny", ledger=tmp_path / "ledger", sandbox_workers=1)
    with Session(choices, Settings(), tmp_path) as session:
        assert isinstance(session.suite("q.toml").measurement, EditedMeasurement)
        with pytest.raises(UsageError, match="a hunt asks one model, and an edit makes several"):
            _ = session.suite("q.toml").single


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"model": "tinny"}, "did you mean 'tiny'"),
        ({"model": "oracle", "edit": ("ft",)}, "has no weights to edit"),
        ({"model": "tiny", "edit": ("rom",)}, "did you mean 'rome'"),
        ({"model": "tiny", "early": True, "hunt": True}, "leave one out"),
        ({"model": "tiny", "budget": "3x"}, "3x"),
        ({"model": "oracle", "hunt": True}, "there is no prompt to hunt for"),
        ({"model": "tiny", "update_baseline": True}, "needs --baseline PATH"),
    ],
)
def test_contradictions_are_refused_before_anything_loads(
    tmp_path: Path, chosen: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        open_session(Choices(**chosen), tmp_path)  # type: ignore[arg-type]


def test_the_settings_of_the_project_are_found_from_below(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.coderobust]\nledger = "kept.sqlite"\n[tool.coderobust.models.ours]\nid = "./m"\n'
    )
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "sub").mkdir()
    with open_session(Choices(model="ours"), tmp_path / "sub") as session:
        assert session.root == tmp_path
        assert session.ledger.path == tmp_path / "kept.sqlite"
        assert list_known_models(session.settings)["ours"].id == str(tmp_path / "m")


def test_closing_goes_on_after_trouble(tmp_path: Path) -> None:
    write_suite(tmp_path)
    session = session_of(tmp_path)
    ledger, verdicts = session.ledger, session.verdicts
    ended: list[str] = []
    close_sandbox, close_ledger = verdicts.close, ledger.close

    def fail() -> None:
        close_sandbox()
        raise OSError("the sandbox does not end")

    verdicts.close = fail  # type: ignore[method-assign]
    ledger.close = lambda: ended.append("ledger")  # type: ignore[method-assign]
    with pytest.raises(OSError, match="does not end"):
        session.close()
    assert ended == ["ledger"]
    close_ledger()


def test_find_breaking_prompt_knows_its_keywords() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'devcie'"):
        find_breaking_prompt("tiny", "quickstart", devcie="cuda")  # type: ignore[call-arg]


def test_find_breaking_prompt_hunts_on_the_model_before_the_suites_edits(tmp_path: Path) -> None:
    path = write_suite(tmp_path, sections='[edit]\neditor = ["ft"]')
    model = Reader(lambda prompt: float("vlaue" in prompt))
    (found,) = find_breaking_prompt(
        model, path, perturbations=("C1",), completions=8, sandbox_workers=1
    )
    assert found.task_id == "Toy/0"
