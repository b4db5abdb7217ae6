"""Measures seconds and peak memory of an edit, for every editor that takes knowledge cases.

    python bench/knowledge_edits.py [--cases 1] [--edit all] [--train tiny:train]

The model is a randomly initialised Llama of 100 million parameters in float32; each editor has a
process of its own. Peak memory is what the edit adds to the memory in use: the device's own counter,
or the growth of the process's peak resident size; the first edit of a process also loads code once.

The last columns are an extrapolation to CodeLlama-7B on the same machine, on paper: seconds grow
with the parameters (times 61), and memory between the width of the activations (times 14, 32 layers
of 4096 instead of 12 of 768) and the matrix that is edited (times 29, 4096 x 11008 instead of
768 x 2048); a matrix over the widths of a key (MEMIT, PMET: C and its factor) grows by its square.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from pytest_coderobust.edit_bench.editors import give_training, read_editors, split_editors
from pytest_coderobust.edit_bench.writing import TextWriter
from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.answer_requests import (
    judge_by_match,
    make_answer_request,
    make_answer_task,
)
from pytest_coderobust.editors.edited_model import edited
from pytest_coderobust.editors.registry import open_editor
from pytest_coderobust.editors.training_cases import is_prepared
from pytest_coderobust.errors import CodeRobustError, ModelError
from pytest_coderobust.knowledge.reading import read_case_set
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.models.registry import open_backend
from pytest_coderobust.tiny import checkpoint_path

SMALL = {"hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 12}  # fmt: skip
WORDS = 20_000
SECONDS, LEAST, MOST = 6738 / 110, (32 * 4096) / (12 * 768), (4096 * 11008) / (768 * 2048)
MB = 2**20
EDITING = {
    "creme": "creme:layer=0",
    "grace": "grace:gain=0",
    "a-grace": "a-grace:gain=0,least=0",
    "malmen": "malmen:steps=8,cases=48",
}
"""Editors that would refuse a random model's case, told to edit all the same: the cost is asked.

MALMEN learns little, and that in minutes: what an edit costs does not hang on it.
"""


def save_model(folder: Path) -> int:
    """Writes the model with `tiny`'s tokenizer; returns the number of its parameters."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint_path())
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=WORDS,
        tie_word_embeddings=True,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **SMALL,
    )
    model = LlamaForCausalLM(config)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return sum(each.numel() for each in model.parameters())


def measure(folder: str, edit: str, count: int, train: str) -> dict[str, Any]:
    """Edits for some cases, one after the other; returns what each took, or why it was refused."""
    model: Any = open_backend(folder, options=ModelOptions())
    (editor,) = read_editors([edit], training=bool(train))
    if editor.unable:
        return {"unable": editor.unable}
    spec = give_training(editor.spec, read_case_set(train) if train else None)
    opened = open_editor(spec)
    facts: dict[str, Any] = {}
    if is_prepared(opened):
        access = Access(model)
        with access.frozen_weights():
            facts = dict(opened.prepare(access))
    seconds: list[float] = []
    peaks: list[int] = []
    refused = ""
    for case in read_case_set("tiny:cases").cases[:count]:
        answer, _ = TextWriter(model).fit_answer(case)
        task = make_answer_task(case.id, case.prompt, case.target)
        with ExitStack() as stack:
            try:
                request = make_answer_request(spec, task, answer, case.rewrites)
                change = edited(model, spec, [request], judge_by_match, editor=opened)
                changed = stack.enter_context(change)
            except ModelError as reason:
                refused = str(reason)
                continue
            seconds.append(changed.cost.seconds or 0.0)
            peaks.append(changed.cost.peak_bytes or 0)
    return {
        "seconds": seconds,
        "peaks": peaks,
        "refused": refused,
        "training": facts.get("trained"),
        "prepared": facts.get("prepared"),
    }


def show(label: str, found: dict[str, Any]) -> None:
    if "unable" in found:
        print(f"{label:<22} {found['unable']}")
        return
    if not found["seconds"]:
        print(f"{label:<22} refused: {found['refused'][:90]}")
        return
    seconds, peak = statistics.median(found["seconds"]), max(found["peaks"]) / MB
    trained = f", trained in {found['training']:.0f} s" if found["training"] else ""
    trained += f", prepared in {found['prepared']:.1f} s" if found["prepared"] else ""
    print(
        f"{label:<22} {seconds:8.2f} s {peak:8.0f} MB   7B: {seconds * SECONDS:8.0f} s "
        f"{peak * LEAST / 1024:6.1f} to {peak * MOST / 1024:.1f} GB{trained}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1)
    parser.add_argument("--edit", default="all")
    parser.add_argument("--train", default="tiny:train")
    parser.add_argument("--one", nargs=2, metavar=("FOLDER", "EDIT"), help="in this process")
    options = parser.parse_args()
    if options.one:
        try:
            found = measure(*options.one, options.cases, options.train)
        except CodeRobustError as error:
            found = {"unable": str(error)}
        print(json.dumps(found))
        return
    with tempfile.TemporaryDirectory() as folder:
        count = save_model(Path(folder))
        print(f"a Llama of {count / 1e6:.0f} M parameters, {options.cases} edits each", flush=True)
        texts = [EDITING.get(text, text) for text in split_editors([options.edit])]
        for editor in read_editors(texts, training=True):
            words = [
                sys.executable,
                __file__,
                "--one",
                folder,
                editor.text,
                "--train",
                options.train,
            ]
            ran = subprocess.run(
                [*words, "--cases", str(options.cases)],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            show(editor.spec.label, json.loads(ran.stdout.splitlines()[-1]))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
