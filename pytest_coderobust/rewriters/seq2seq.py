"""Back-translation or paraphrasing through transformers' sequence-to-sequence models.

One model paraphrases; two translate there and back, the last one with two beams (the setting of
NL-Augmenter's BackTranslation, which ReCode uses with FSMT wmt19 en-de and de-en). Paragraphs go
one by one: padding would let them change one another's answers. Nothing is fenced, as in ReCode;
what is damaged is the auditor's to find.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_coderobust.errors import ModelError, UsageError
from pytest_coderobust.models.checkpoint import Checkpoint, find_checkpoint
from pytest_coderobust.models.fingerprint import checkpoint_digest
from pytest_coderobust.models.options import ModelOptions, ModelSpec
from pytest_coderobust.models.quiet import quiet
from pytest_coderobust.models.threads import sensible_threads, torch_threads
from pytest_coderobust.records import digest
from pytest_coderobust.rewriters.rewriter import Paragraph

LONGEST = 512
"""Tokens of an answer."""


class Seq2Seq:
    """Models that a paragraph passes one after the other.

    Args:
        names: hub names or folders.
        base: the folder that relative paths start from.
    """

    batched = False
    seeded = False

    def __init__(self, names: Sequence[str], base: Path, *, allow_bin: bool) -> None:
        self._specs = [(name, _folder(name, base)) for name in names]
        self._options = ModelOptions(allow_bin=allow_bin)
        self._models: list[tuple[Any, Any]] = []

    @cached_property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The models on disk, downloaded where they were not.

        Raises:
            ModelError: one cannot be found.
        """
        found = tuple(
            find_checkpoint(name, ModelSpec(str(folder)), self._options)
            for name, folder in self._specs
        )
        for (name, _), checkpoint in zip(self._specs, found, strict=True):
            if checkpoint.adapter is not None:
                raise ModelError(f"rewriter {name!r} is an adapter; merge it into its base first")
        return found

    @property
    def digest(self) -> str:
        return self._digest

    @cached_property
    def _digest(self) -> str:
        from importlib.metadata import version

        weights = [checkpoint_digest(each) for each in self.checkpoints]
        return digest("seq2seq", 1, weights, version("transformers"), version("torch"))

    def rewrite(self, paragraphs: Sequence[Paragraph]) -> list[str]:
        if not self._models:
            self._models = [
                _load(name, checkpoint)
                for (name, _), checkpoint in zip(self._specs, self.checkpoints, strict=True)
            ]
        return [self._one(each.text) for each in paragraphs]

    def _one(self, text: str) -> str:
        for place, (model, tokenizer) in enumerate(self._models):
            beams = 2 if place and place == len(self._models) - 1 else 1
            text = _answer(model, tokenizer, text, beams) if text.strip() else ""
        return text


def check_seq2seq(names: Sequence[str], base: Path, where: str) -> None:
    """Checks that names which are spelt as folders are folders; loads nothing.

    Raises:
        UsageError: one is not.
    """
    for name in names:
        folder = _folder(name, base)
        if isinstance(folder, Path) and not (folder / "config.json").is_file():
            raise UsageError(
                f"{where}: {folder} is not a folder of a model (it has no config.json)"
            )


def _folder(name: str, base: Path) -> Path | str:
    """A folder where the name is spelt as one or is one, else the hub name."""
    path = base / Path(name).expanduser()
    spelt = name.startswith(("/", "./", "../", "~"))
    return path if spelt or path.is_dir() else name


def _load(name: str, checkpoint: Checkpoint) -> tuple[Any, Any]:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    with quiet():
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True)
            model: Any = AutoModelForSeq2SeqLM.from_pretrained(
                checkpoint.folder,
                use_safetensors=checkpoint.safetensors,
                weights_only=True,
                local_files_only=True,
            )
        except Exception as error:
            first = str(error).strip().partition("\n")[0]
            raise ModelError(f"rewriter {name!r}: transformers cannot load it: {first}") from error
    return model.eval(), tokenizer


def _answer(model: Any, tokenizer: Any, text: str, beams: int) -> str:
    """One answer, without sampling."""
    import torch

    limit = getattr(model.config, "max_position_embeddings", None) or LONGEST
    threads = sensible_threads(None, model.num_parameters(), "cpu")
    with quiet(), torch_threads(threads), torch.inference_mode():
        # input_ids and attention_mask: [1, tokens]
        asked = tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)
        asked = {key: asked[key] for key in ("input_ids", "attention_mask")}
        # answered: [1, tokens of the answer]
        answered = model.generate(
            **asked, do_sample=False, num_beams=beams, max_new_tokens=min(limit - 1, LONGEST)
        )
    return str(tokenizer.decode(answered[0], skip_special_tokens=True))
