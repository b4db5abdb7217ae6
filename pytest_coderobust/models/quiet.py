"""Silence of foreign libraries: their bars, log lines and warnings are not shown.

A warning that a library raises while a model loads would fail the tests of every project whose
pytest turns warnings into errors.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from logging import CRITICAL


@contextmanager
def quiet() -> Generator[None]:
    """Context in which transformers is silent and warnings are ignored; ends as it began.

    The process has one set of warning filters, so two threads must not be in it at once.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers.utils import logging

        verbosity = logging.get_verbosity()
        bars = logging.is_progress_bar_enabled()
        logging.set_verbosity(CRITICAL)
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]


@contextmanager
def quiet_hub() -> Generator[None]:
    """Context in which the hub's client is silent.

    It does not import transformers, which takes seconds.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from huggingface_hub.utils import logging
        from huggingface_hub.utils.tqdm import (
            are_progress_bars_disabled,
            disable_progress_bars,
            enable_progress_bars,
        )

        verbosity = logging.get_verbosity()
        silent = are_progress_bars_disabled()
        logging.set_verbosity(CRITICAL)
        disable_progress_bars()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if not silent:
                enable_progress_bars()
