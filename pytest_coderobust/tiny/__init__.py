"""The bundled model `tiny`: its corpus, its training recipe and its weights."""

from __future__ import annotations

from pathlib import Path


def checkpoint_path() -> Path:
    """Returns the folder of the bundled checkpoint, which transformers loads by its path."""
    return Path(__file__).with_name("checkpoint")
