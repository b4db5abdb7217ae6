"""Output folders: another training is refused by what differs, half-written checkpoints go."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from pytest_coderobust.errors import UsageError
from pytest_coderobust.models.folders import TRAINING_FILE
from pytest_coderobust.training.output import TrainingFolder, mark_whole

PLAN: dict[str, object] = {
    "base": {"name": "tiny", "weights": "w1", "digest": "d1"},
    "data": {"name": "rows (3 rows)", "digest": "e1"},
    "template": "{prompt}",
    "settings": {"rate": 0.001, "seed": 42, "lora": None},
}


def test_an_empty_or_absent_folder_is_new_and_the_same_plan_goes_on(tmp_path: Path) -> None:
    for folder in (TrainingFolder(tmp_path), TrainingFolder(tmp_path / "new")):
        assert not folder.is_finished(PLAN)
        folder.begin(PLAN)
        assert not folder.is_finished(PLAN)
        assert folder.find_whole() == (None, ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base": {"name": "other", "weights": "w2", "digest": "d2"}}, "holds a training of another base (tiny d1, and not other d2)"),
        ({"data": {"name": "rows (3 rows)", "digest": "e2"}}, "holds a training on other data (rows (3 rows) e1, and not rows (3 rows) e2)"),
        ({"settings": {"rate": 0.001, "seed": 43, "lora": None}}, "holds a training with another seed (42, and not 43)"),
        ({"template": "Q {prompt}"}, "holds a training with another template ('{prompt}', and not 'Q {prompt}')"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("finished", [False, True])
def test_another_training_is_refused_by_what_differs(
    tmp_path: Path, change: dict[str, object], message: str, finished: bool
) -> None:
    folder = TrainingFolder(tmp_path)
    folder.begin(PLAN)
    if finished:
        (folder.open_writing() / "config.json").touch()
        folder.finish({"plan": PLAN})
        assert folder.is_finished(PLAN)
    with pytest.raises(UsageError) as error:
        folder.is_finished({**PLAN, **change})
    assert message in str(error.value)
    assert "name another folder, or delete this one" in str(error.value)


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is not empty, and holds no training to go on with"):
        TrainingFolder(tmp_path).is_finished(PLAN)
    with pytest.raises(UsageError, match="is a file; a training needs a folder"):
        TrainingFolder(tmp_path / "thesis.tex").is_finished(PLAN)


def test_one_training_at_a_time_writes_a_folder(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path / "out")
    with ExitStack() as first, ExitStack() as second:
        folder.claim(first)
        with pytest.raises(UsageError, match="another training writes here now"):
            TrainingFolder(tmp_path / "out").claim(second)
        assert not folder.is_finished(PLAN)  # the lock is no training and no foreign file
        first.close()
        folder.claim(second)
    assert list(folder.path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = TrainingFolder(tmp_path / "file" / "out")
    with ExitStack() as stack, pytest.raises(UsageError, match=r"cannot be written \(Not a dir"):
        folder.claim(stack)
    for write in (lambda: folder.begin(PLAN), folder.open_writing, lambda: folder.finish({})):
        with pytest.raises(UsageError, match="cannot be written"):
            write()


def test_how_often_a_training_is_saved_does_not_matter(tmp_path: Path) -> None:
    """Plans that were written before know the entry; it decided no weight."""
    folder = TrainingFolder(tmp_path)
    settings = {"rate": 0.001, "seed": 42, "lora": None}
    folder.begin({**PLAN, "settings": {**settings, "save_every": 7}})
    assert not folder.is_finished(PLAN)


def test_a_folder_without_its_last_file_is_not_finished(tmp_path: Path) -> None:
    """A kill may fall between any two files."""
    folder = TrainingFolder(tmp_path)
    folder.begin(PLAN)
    (folder.open_writing() / "config.json").touch()
    folder.finish({"plan": PLAN})
    assert folder.is_finished(PLAN)
    (tmp_path / "config.json").unlink()
    assert not folder.is_finished(PLAN)


def test_the_newest_whole_checkpoint_counts_and_the_others_go(tmp_path: Path) -> None:
    folder = TrainingFolder(tmp_path)
    for step in (9, 10, 100, 110):
        (folder.checkpoints / f"checkpoint-{step}").mkdir(parents=True)
        if step < 110:
            mark_whole(folder.checkpoints / f"checkpoint-{step}")
    (folder.checkpoints / "checkpoint-110" / "model.safetensors").touch()
    assert folder.find_whole() == (folder.checkpoints / "checkpoint-100", ("checkpoint-110",))
    assert folder.find_whole() == (folder.checkpoints / "checkpoint-100", ())


def test_a_model_appears_when_all_its_files_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = TrainingFolder(tmp_path)
    folder.begin(PLAN)
    for name in ("config.json", "model.safetensors", "adapter_config.json", "tokenizer.json"):
        (folder.open_writing() if name == "config.json" else tmp_path / ".writing").joinpath(
            name
        ).touch()
    order: list[str] = []
    real = Path.replace

    def watch(self: Path, target: Path) -> Path:
        order.append(Path(target).name)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", watch)
    folder.finish({"plan": PLAN})
    assert order == [
        TRAINING_FILE,  # written, and then moved
        TRAINING_FILE, "model.safetensors", "tokenizer.json", "adapter_config.json", "config.json",
    ]  # fmt: skip
    assert {each.name for each in tmp_path.iterdir()} == set(order)
    assert json.loads((tmp_path / TRAINING_FILE).read_text()) == {"plan": PLAN}
