"""Trains the bundled model on perturbed rows and on clean ones, and compares the two.

    python bench/training.py [--seeds 0,1,2] [--steps 600] [--work FOLDER]

Each seed trains twice, on the same rows in the same order for as many steps: perturbed (mix_all)
and clean, the control. The control's answers become the baseline of two suites, each at three
perturbation seeds: noise of the kinds that were trained on, and kinds that were not. The verdicts are
those of `--baseline`. About 6 processor minutes a training and 7 a model to measure; what is in
FOLDER already is not done again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SEEN = ["C1", "C2", "C3", "W1", "W2", "W3", "S2", "S3"]
# Near copies of the above are left out: nlp:E1, E2, E6 and S1, and their mixtures nlp:C1 to C3.
UNSEEN = [
    *(["S1"] if shutil.which("apertium") else []),
    "paraphrase",
    *(
        f"nlp:{name}"
        for name in ["A1", "A2", "A3", "A4", "D1", "D2", "D3", "D4", "E3", "E4", "E5", "S2"]
    ),
]
SUITE = """[suite]
name = "{name}"
tasks = "quickstart"
perturbations = {perturbations}
seeds = 3
[rewriters]
{rewriters}
[sampling]
max_new_tokens = 96
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = (arguments.work or Path(name)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pytest.ini").write_text("[pytest]\n")
        for suite, names in (("seen", SEEN), ("unseen", UNSEEN)):
            rewriters = 'S1 = "apertium"' if "S1" in names else ""
            text = SUITE.format(name=suite, perturbations=json.dumps(names), rewriters=rewriters)
            (folder / f"{suite}.toml").write_text(text)
        for seed in arguments.seeds.split(","):
            for rows in ("clean", "mix_all"):
                train(folder, rows, seed, arguments.steps)
            for suite in ("seen", "unseen"):
                measure(folder, suite, f"clean-{seed}", seed, "--update-baseline")
                show(seed, suite, measure(folder, suite, f"mix_all-{seed}", seed))


def train(folder: Path, rows: str, seed: str, steps: int) -> None:
    out = folder / f"{rows}-{seed}"
    if (out / "coderobust-training.json").is_file():
        return
    words = ["--model", "tiny", "--preset", "tiny-robust", "--set", rows, "--seed", seed]
    call(
        folder,
        *("-m", "pytest_coderobust.cli", "finetune", *words, "--steps", str(steps)),
        *("--rows", str(16 * steps), "--threads", "1", "--device", "cpu", "--out", str(out)),
        check=True,
    )


def measure(folder: Path, suite: str, model: str, seed: str, *words: str) -> dict[str, Any]:
    report = folder / f"{suite}-{model}.json"
    call(
        folder,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", f"{suite}.toml", f"--model=./{model}"),
        *(f"--baseline={suite}-{seed}.jsonl", f"--coderobust-json={report}", *words),
        *("--coderobust-threads=1", "--coderobust-ledger=ledger.sqlite"),
        check=False,  # a baseline that does not hold ends with 1, and is a figure
    )
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def call(folder: Path, *words: str, check: bool) -> None:
    """Runs Python in the folder."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *words], cwd=folder, env=env, check=check, stdout=sys.stderr)


def show(seed: str, suite: str, document: dict[str, Any]) -> None:
    found = document["comparison"]
    print(f"\nseed {seed}, {suite} noise: {found['verdict']} (margin {found['margin']})")
    for change in found["changes"]:
        rate = "RD" if change["measure"] == "rd" else change["measure"]
        low, high = change["interval"]
        p = "" if change["p"] is None else f"p={change['p']:.2g}"
        print(
            f"{rate:<7} {change['condition']:<11} {change['before']:.3f} -> {change['after']:.3f} "
            f"{change['change']:+.3f} [{low:+.3f}, {high:+.3f}] {p}"
        )


if __name__ == "__main__":
    main()
