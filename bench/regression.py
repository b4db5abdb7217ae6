"""Checks the verdicts of a baseline: weakened models have regressed, the same weights have not.

    python bench/regression.py [--seeds 3] [--samples 4]

The bundled model answers the quickstart suite at T=0.8, and its counts become the baseline. Then
the same weights answer with other sampling seeds and a new ledger. Weakened copies, which are
checkpoints with noise added to the weights of one layer, answer with the first seed. Each run
prints one line, with the loss that it can detect next to the default margin.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.weakened import LAYER, weakened

SUITE = """[suite]
tasks = "quickstart"
perturbations = ["C1"]
[sampling]
n = {n}
temperature = 0.8
seed = {seed}
max_new_tokens = 96
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        run(folder, "tiny", arguments.samples, 0, "--update-baseline")
        print(f"{'run':<24} {'verdict':<14} {'clean':>8} {'C1':>8} {'detects':>8} {'margin':>7}")
        for seed in range(1, arguments.seeds + 1):
            show(f"same weights, seed {seed}", run(folder, "tiny", arguments.samples, seed))
        for seed in range(1, arguments.seeds + 1):
            weak = weakened(folder / f"weak{seed}", seed)
            show(f"noise in layer {LAYER}, {seed}", run(folder, str(weak), arguments.samples, 0))


def run(folder: Path, model: str, n: int, seed: int, *words: str) -> dict[str, object]:
    (folder / "suite.toml").write_text(SUITE.format(n=n, seed=seed))
    (folder / "ledger.sqlite").unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "suite.toml", f"--model={model}", *words]
    options = ["--baseline=base.jsonl", "--coderobust-ledger=ledger.sqlite"]
    subprocess.run(
        [*command, *options, "--coderobust-json=out.json", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    found: dict[str, object] = json.loads((folder / "out.json").read_text())
    return found


def show(name: str, document: dict[str, object]) -> None:
    found = document["comparison"]
    assert isinstance(found, dict)
    deciding = [change for change in found["changes"] if change["decides"]]
    moved = [f"{change['change']:+8.3f}" for change in deciding]
    least = max(change["detectable"] for change in deciding)
    print(f"{name:<24} {found['verdict']:<14} {' '.join(moved)} {least:>8.3f} {found['margin']:>7}")


if __name__ == "__main__":
    main()
