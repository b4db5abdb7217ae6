"""`coderobust finetune`: data, training and the trained model, as a user goes through them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pytest_coderobust.cli import main
from pytest_coderobust.tiny import checkpoint_path
from pytest_coderobust.training.formats import ALPACA_TEMPLATE
from tests.support.models_checkpoints import backend, save_random
from tests.support.training_rows import alpaca_rows, message_rows, read_lines, write_rows
from tests.support.training_runs import read_weights

pytest.importorskip("accelerate")
FAST = (
    "--lr",
    "3e-3",
    "--accumulate",
    "4",
    "--steps",
    "3",
    "--threads",
    "1",
    "--max-tokens",
    "256",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    save_random(tmp_path / "base", initializer_range=0.1, window=1024)
    write_rows(
        tmp_path / "rows.jsonl",
        [
            {"prompt": f"def f{n}(x):\n    # add {n}\n", "completion": f"    return x + {n}\n"}
            for n in range(16)
        ],
    )
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


def train(*words: str) -> int:
    return main(["finetune", "--model", "./base", *words])


def read_facts(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "coderobust-training.json").read_text())
    return found


def test_a_model_is_trained_on_a_built_set_and_keeps_its_template(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(folder / "alpaca.jsonl", alpaca_rows(12))
    assert main(["finetune-data", "alpaca.jsonl", "--out", "sets", "--sets", "C1,clean"]) == 0
    capsys.readouterr()
    assert train("--data", "sets/C1.jsonl", "--out", "out", *FAST, "--max-tokens", "900") == 0
    out, err = capsys.readouterr()
    assert out == (
        "training ./base on C1.jsonl (12 rows)\n"
        f"trained: 3 steps on 12 rows, last loss {read_facts(folder / 'out')['loss']['last']:.4f}\n"  # type: ignore[index]
        "test it: pytest SUITE.toml --model=out\n"
    )
    assert [line.partition(":")[0] for line in err.splitlines()] == [
        f"step {n} of 3" for n in (1, 2, 3)
    ]
    facts = read_facts(folder / "out")
    assert facts["template"] == ALPACA_TEMPLATE
    (folder / "new").touch()  # with the mode of any new file
    modes = {file.stat().st_mode for file in (folder / "out").iterdir()}
    assert modes == {(folder / "new").stat().st_mode}
    tuned, base = backend(folder / "out"), backend(folder / "base")
    wanted = base.encode(ALPACA_TEMPLATE.replace("{prompt}", "Add."), "python")
    assert tuned.encode("Add.", "python") == wanted
    lines = read_lines(folder / "out" / "training-log.jsonl")
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert train("--data", "sets/C1.jsonl", "--out", "out", *FAST, "--max-tokens", "900") == 0
    assert "was trained before: 3 steps on 12 rows" in capsys.readouterr().out


def test_a_set_is_built_while_the_data_are_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same weights as through the files of finetune-data."""
    write_rows(folder / "alpaca.jsonl", alpaca_rows(8))
    assert main(["finetune-data", "alpaca.jsonl", "--out", "sets", "--sets", "mix_all,clean"]) == 0
    words = (*FAST, "--max-tokens", "900")
    assert train("--data", "sets/mix_all.jsonl", "--out", "file", *words) == 0
    assert train("--data", "alpaca.jsonl", "--set", "mix_all", "--out", "built", *words) == 0
    assert train("--data", "alpaca.jsonl", "--set", "clean", "--out", "clean", *words) == 0
    assert train("--data", "alpaca.jsonl", "--out", "plain", *words) == 0
    assert "training ./base on alpaca.jsonl, mix_all (8 rows, " in capsys.readouterr().out
    file, built, clean, plain = (
        read_weights(folder / name)["model.embed_tokens.weight"]
        for name in ("file", "built", "clean", "plain")
    )
    assert torch.equal(file, built)
    assert torch.equal(clean, plain)
    assert not torch.equal(file, clean)


def test_the_trained_model_runs_a_suite(folder: Path) -> None:
    rows = ["--rows", "8", "--steps", "1", "--set", "C1", "--batch", "8", "--accumulate", "1"]
    words = ["--preset", "tiny-robust", "--out", "out", "--threads", "1", "--lr", "1e-5", *rows]
    assert main(["finetune", "--model", "tiny", *words]) == 0
    (folder / "suite.toml").write_text(
        '[suite]\ntasks = "quickstart"\nlimit = 3\nperturbations = ["C1", "W2"]\ntrain = ["C2"]\n'
    )
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "suite.toml", "--model=./out", "--coderobust-json", "r.json", "-q"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    document = json.loads((folder / "r.json").read_text())
    assert (document["facts"]["dtype"], document["facts"]["trained on"]) == ("float32", "C1")
    assert document["notes"] == [
        "what models may be trained on: unseen: C1, W2",
        "not unseen by this model, which was trained on C1: C1",
    ]
    assert read_facts(folder / "out")["base"]["name"] == "tiny"  # type: ignore[index]


def test_a_perturbed_set_is_compared_with_the_suite_when_it_is_built(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A task's misspelt description is not found again: what was compared before counts."""
    from pytest_coderobust.tiny.suite import TASKS_FILE

    task = json.loads(TASKS_FILE.read_text().splitlines()[0])
    row = {"prompt": task["prompt"], "completion": "    return 1\n"}
    rows = [{"prompt": f"def g{n}(x):\n    # add one\n", "completion": "    x\n"} for n in range(9)]
    write_rows(folder / "mine.jsonl", [*rows, row])
    suite = '[suite]\ntasks = "quickstart"\nlimit = {}\nperturbations = ["C1"]\n'
    (folder / "suite.toml").write_text(suite.format(3))
    assert main(["finetune-data", "mine.jsonl", "--out", "sets", "--sets", "clean,C1"]) == 0
    words = ["--suite", "suite.toml", "--out", "out", *FAST]
    assert train("--data", "sets/clean.jsonl", *words) == 1
    assert "1 of 10 rows are also in the suite suite.toml" in capsys.readouterr().err
    for more in ([], ["--decontaminate"]):
        assert train("--data", "sets/C1.jsonl", *words, *more) == 1
        told = capsys.readouterr().err
        assert "C1.jsonl: its prompts are perturbed, so rows that are also in the suite" in told
        assert "coderobust finetune-data --suite suite.toml" in told
    built = ["finetune-data", "mine.jsonl", "--out", "sets", "--sets", "C1", "--decontaminate"]
    assert main([*built, "--suite", "suite.toml"]) == 0
    assert train("--data", "sets/C1.jsonl", *words) == 0
    assert "trained: 3 steps on 9 rows" in capsys.readouterr().out
    (folder / "suite.toml").write_text(
        suite.format(4)
    )  # another task, which nothing was compared with
    assert train("--data", "sets/C1.jsonl", "--suite", "suite.toml", "--out", "more", *FAST) == 1


def test_as_many_steps_are_trained_as_the_user_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", "rows.jsonl", "--lr", "1e-3", "--accumulate", "16", "--threads", "1"]
    assert train(*words, "--out", "long", "--steps", "7") == 0
    assert "trained: 7 steps on 16 rows" in capsys.readouterr().out
    assert train(*words, "--out", "short", "--steps", "7", "--epochs", "1") == 0
    assert "trained: 1 step on 16 rows" in capsys.readouterr().out


def test_a_suite_says_what_may_be_trained_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_coderobust.tiny.suite import TASKS_FILE

    task = json.loads(TASKS_FILE.read_text().splitlines()[0])
    row = {"instruction": task["prompt"], "output": task["canonical_solution"]}
    write_rows(folder / "alpaca.jsonl", [*alpaca_rows(12), row])
    (folder / "suite.toml").write_text(
        '[suite]\ntasks = "quickstart"\nlimit = 3\nperturbations = ["C2"]\ntrain = ["C1", "W2"]\n'
    )
    words = ["--data", "alpaca.jsonl", "--suite", "suite.toml", *FAST, "--max-tokens", "900"]
    words += ["--steps", "1"]
    assert train(*words, "--out", "out") == 1
    assert "1 of 13 rows are also in the suite suite.toml" in capsys.readouterr().err
    assert train(*words, "--decontaminate", "--out", "out") == 0
    out = capsys.readouterr().out
    assert (
        "1 row left out: also in the suite suite.toml\ntraining ./base on alpaca.jsonl, C1+W2 (12 rows"
        in out
    )
    assert read_facts(folder / "out")["data"]["perturbations"] == ["C1", "W2"]  # type: ignore[index]
    assert train("--data", "alpaca.jsonl", "--decontaminate", "--out", "new") == 4
    assert "--decontaminate needs a suite to compare with" in capsys.readouterr().err


def check_merged(folder: Path) -> None:
    """Each weight of the merged model is that of the base plus 2 B A, by the files alone."""
    plain, own = read_weights(checkpoint_path()), read_weights(folder / "merged")
    changes = read_weights(folder)  # the adapter's
    prefix = "base_model.model."
    moved = 0
    for name, weight in plain.items():
        stem = prefix + name.removesuffix(".weight")
        low, high = (changes.get(f"{stem}.lora_{part}.weight") for part in "AB")
        change = torch.zeros(()) if low is None or high is None else 2 * (high @ low)
        assert torch.allclose(own[name], weight.float() + change, rtol=0, atol=1e-6), name
        moved += bool((change.abs() > 1e-4).any())
    assert moved > len(changes) // 4
    facts = read_facts(folder / "merged")
    assert (facts["merged"], facts["template"]) == (True, read_facts(folder)["template"])
    opened = backend(folder / "merged")
    assert opened.checkpoint.adapter is None
    assert opened.load().parameters < 2_000_000


def test_an_adapter_of_tiny_finds_its_base_by_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("peft")
    rows = ["--rows", "4", "--steps", "1", "--set", "none", "--batch", "4", "--accumulate", "1"]
    words = [
        "--preset",
        "tiny-robust",
        "--out",
        "out",
        "--threads",
        "1",
        "--lora",
        "r=4,alpha=8",
        "--lr",
        "0.05",
        *rows,
    ]
    assert main(["finetune", "--model", "tiny", *words, "--merge"]) == 0
    assert "test it: pytest SUITE.toml --model=out/merged" in capsys.readouterr().out
    check_merged(folder / "out")
    file = folder / "out" / "adapter_config.json"
    settings = json.loads(file.read_text())
    assert (settings["r"], settings["lora_alpha"], settings["lora_dropout"]) == (4, 8, 0.1)
    assert settings["target_modules"] == sorted(settings["target_modules"])
    file.write_text(json.dumps({**settings, "base_model_name_or_path": "/elsewhere"}))
    assert backend(folder / "out").load().parameters > 1_700_000


@pytest.mark.slow
def test_two_processes_share_a_step_and_make_the_same_weights(folder: Path) -> None:
    """gloo on two processors; the order of the rows is that of one process, or losses would differ."""
    words = ["finetune", "--model", "./base", "--data", "rows.jsonl", *FAST, "--save-every", "2"]
    launch = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m"]
    for name, before in (("one", []), ("two", launch)):
        program = [sys.executable, "-m", *before, "pytest_coderobust.cli", *words, "--out", name]
        ran = subprocess.run(program, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.count("trained: 3 steps") == 1
    assert read_facts(folder / "two")["processes"] == 2
    one, two, base = (read_weights(folder / name) for name in ("one", "two", "base"))
    for name, weights in one.items():
        moved = float((weights - base[name]).abs().max())
        assert torch.allclose(weights, two[name], atol=moved / 1000), name
    logs = [read_lines(folder / name / "training-log.jsonl") for name in ("one", "two")]
    for first, second in zip(*logs, strict=True):
        assert first["loss"] == pytest.approx(second["loss"], rel=1e-5)


def test_processes_that_cannot_share_a_step_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_coderobust.errors import UsageError
    from pytest_coderobust.training.processes import check_accelerators, count_processes, divide
    from pytest_coderobust.training.settings import TrainingSettings

    monkeypatch.setenv("WORLD_SIZE", "3")
    assert count_processes() == 3
    shared = divide(TrainingSettings(batch=6, accumulate=4), 3)
    assert (shared.batch, shared.accumulate) == (2, 4)
    assert divide(TrainingSettings(batch=2, accumulate=9), 3).accumulate == 3
    check_accelerators(1)
    with pytest.raises(UsageError, match="one process sees 2 accelerators: name one with CUDA_VIS"):
        check_accelerators(2)
    with pytest.raises(
        UsageError, match="3 processes cannot share a step of 4 rows times 4; --batch"
    ):
        divide(TrainingSettings(batch=4, accumulate=4), 3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--data is missing: name a file of rows, or tiny:corpus"),
        (["--data", "rows.jsonl", "--merge"], "--merge merges an adapter into its base: add --lora"),
        (["--data", "gone.jsonl"], "gone.jsonl: there is no such file"),
        (["--data", "rows.jsonl", "--preset", "liu2025"], "--preset: unknown preset 'liu2025'; did you mean 'liu2026'?"),
        (["--data", "rows.jsonl", "--lr", "2"], "--lr '2' must be a number above 0, at most 1"),
        (["--data", "rows.jsonl", "--epochs", "0"], "--epochs '0' must be a whole number from 1"),
        (["--data", "rows.jsonl", "--lora", "rank=3"], "unknown option of --lora 'rank'"),
        (["--data", "rows.jsonl", "--lora", "r=x"], "--lora r 'x' must be a whole number from 1"),
        (["--data", "rows.jsonl", "--set", "all"], "--set 'all' must name one set, such as mix_all or clean"),
        (["--data", "rows.jsonl", "--set", "S1"], "--set S1: S1 needs a rewriter; build it with coderobust finetune-data"),
        (["--data", "rows.jsonl", "--set", "C9"], "--set C9: unknown perturbation 'C9'"),
        (["--data", "rows.jsonl", "--device", "balanced"], "--device balanced: a training takes auto, cpu or cuda"),
        (["--data", "rows.jsonl", "--template", "x"], "template 'x' has no {prompt} in it"),
        (["--data", "rows.jsonl", "--max-tokens", "3"], "there is no row to train on: all 16 have more than 3 tokens"),
        (["--data", "chat.jsonl", "--template", "Q {prompt}"], "--template: rows of messages go through the model's chat template"),
        (["--data", "chat.jsonl"], "the rows are messages, and its tokenizer has no chat template"),
        (["--data", "empty.jsonl"], "there is no row to train on (1 row: the answer is blank)"),
        (["--data", "lost.jsonl"], "manifest.json, which finetune-data wrote beside it, is missing or says nothing of this set"),
        (["--data", "rows.jsonl", "--out", "base"], "--out base: is not empty, and holds no training to go on with"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    write_rows(folder / "chat.jsonl", message_rows(2))
    write_rows(folder / "empty.jsonl", [{"prompt": "x", "completion": ""}])
    write_rows(
        folder / "lost.jsonl",
        [{"id": "1", "prompt": "x", "completion": "y", "perturbation": "C1", "skipped": ""}],
    )
    assert train("--out", "out", *words) in (1, 4)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (folder / "out" / "config.json").exists()


def test_a_built_set_that_was_changed_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["finetune-data", "rows.jsonl", "--out", "sets", "--sets", "clean"]) == 0
    file = folder / "sets" / "clean.jsonl"
    file.write_text(file.read_text().replace("x + 3", "x + 4"))
    assert train("--data", "sets/clean.jsonl", "--out", "out") == 1
    assert "the file has changed since manifest.json was written" in capsys.readouterr().err


@pytest.mark.slow
def test_tiny_learns_from_thirty_steps_on_perturbed_prompts(folder: Path) -> None:
    """The loss of answers to perturbed prompts that training never showed falls."""
    words = ["--preset", "tiny-robust", "--rows", "480", "--out", "out", "--threads", "1"]
    assert main(["finetune", "--model", "tiny", *words]) == 0
    from pytest_coderobust.models.registry import open_backend
    from pytest_coderobust.training.encoding import encode_material
    from pytest_coderobust.training.material import read_material

    unseen = read_material("tiny:corpus", chosen="mix_all", rows=600, seed=7)
    tiny = open_backend("tiny")
    rows, _ = encode_material(unseen, tiny, 512)  # type: ignore[arg-type]
    losses: list[float] = []
    for opened in (tiny, backend(folder / "out")):
        model = opened.load().model  # type: ignore[attr-defined]
        with torch.no_grad():
            found = [
                model(input_ids=torch.tensor([row.ids]), labels=torch.tensor([row.labels])).loss
                for row in rows[480:]
            ]
        losses.append(float(torch.stack(found).mean()))
    assert losses[1] < 0.9 * losses[0]
