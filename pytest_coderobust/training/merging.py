"""Adapters merged into their base: a plain checkpoint beside the adapter."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from pytest_coderobust.files import replace_file
from pytest_coderobust.models.adapter_loading import require_peft
from pytest_coderobust.models.folders import TRAINING_FILE, read_json
from pytest_coderobust.models.hf import HFBackend
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.training.base import load_base
from pytest_coderobust.training.output import share_mode
from pytest_coderobust.training.writing import write_whole

MERGED = "merged"
"""The folder of the plain checkpoint, in that of the adapter."""


def merge_adapter(backend: HFBackend, adapter: Path) -> Path:
    """Writes the base with a trained adapter merged into it; returns the folder.

    The sum is computed in float32 on the processor and stored in the base's dtype, so that answers
    may differ from those of base and adapter by rounding. A folder that is there is left as it is.

    Args:
        backend: the base that the adapter was trained on.
        adapter: the folder of a training that ended.

    Raises:
        ModelError: the base cannot be loaded.
        MissingExtra: peft is not installed.
    """
    folder, writing = adapter / MERGED, adapter / ".merging"
    if (folder / TRAINING_FILE).is_file():
        return folder
    peft = require_peft("--merge")
    shutil.rmtree(writing, ignore_errors=True)
    writing.mkdir()
    with quiet():
        wrapped = peft.PeftModel.from_pretrained(
            load_base(backend, None), str(adapter), is_trainable=False, local_files_only=True
        )
        model = wrapped.merge_and_unload()
        write_whole(model, model.state_dict(), backend, writing)
    facts = {**read_json(adapter / TRAINING_FILE), "merged": True}
    replace_file(writing / TRAINING_FILE, (json.dumps(facts, indent=1) + "\n").encode("ascii"))
    share_mode(writing)
    writing.replace(folder)
    return folder
