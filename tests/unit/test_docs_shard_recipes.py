"""A shard of the recipes that is told to stop keeps its ledger before it does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PYTEST = f"""#!{sys.executable}
import os, sys, time
ledger = next(word for word in sys.argv if word.startswith("--coderobust-ledger=")).partition("=")[2]
try:
    open(os.environ["BEGUN"], "w").close()
    time.sleep(30)
except KeyboardInterrupt:
    open(ledger, "w").write("kept")
    sys.exit(2)
"""


@pytest.fixture
def commands(tmp_path: Path) -> dict[str, str]:
    """An environment with a pytest that measures until it hears Ctrl-C, and an sbatch that submits nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    sbatch = '#!/bin/sh\ncat > "$JOBS/$(ls "$JOBS" | wc -l)"\necho 7\n'
    for name, text in (("pytest", PYTEST), ("sbatch", sbatch)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    (tmp_path / "jobs").mkdir()
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "JOBS": str(tmp_path / "jobs"), "BEGUN": str(begun)}


def stop(command: list[str], environment: dict[str, str]) -> int:
    """Runs a shard's shell, tells it to stop once pytest has begun, and returns its status."""
    with subprocess.Popen(command, env=environment) as shell:
        Path(environment["BEGUN"]).read_bytes()  # waits for who opens it to write
        shell.send_signal(signal.SIGTERM)
        return shell.wait()


def test_an_array_that_is_stopped_keeps_its_ledgers(
    commands: dict[str, str], tmp_path: Path
) -> None:
    script, folder = EXAMPLES / "slurm" / "shards.sh", tmp_path / "shards"
    words = ["sh", str(script), "2", "toy.toml", "oracle", str(folder)]
    subprocess.run(words, env=commands, check=False, capture_output=True)
    environment = {**commands, "SLURM_ARRAY_TASK_ID": "2"}
    assert stop(["sh", str(tmp_path / "jobs" / "0")], environment) != 0
    assert (folder / "2" / "ledger.sqlite").read_text() == "kept"


def test_a_pod_that_is_stopped_keeps_its_ledger(commands: dict[str, str], tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    text = (EXAMPLES / "kubernetes" / "shards.yml").read_text(encoding="utf-8")
    pod = next(yaml.safe_load_all(text))["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > 30, "the default, which a ledger may not do with"
    (container,) = pod["containers"]
    body = (
        container["args"][0]
        .replace("/shards/", f"{tmp_path}/")
        .replace("/tmp/shard", f"{tmp_path}/here")
    )
    environment = {**commands, "JOB_COMPLETION_INDEX": "1"}
    assert stop([*container["command"], body], environment) != 0
    assert (tmp_path / "release-candidate" / "2" / "ledger.sqlite").read_text() == "kept"
