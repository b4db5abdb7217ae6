"""Rows of the table of options about models: how one is loaded, run, and asked."""

from __future__ import annotations

from functools import partial

from pytest_coderobust.session.option import Option
from pytest_coderobust.session.values import (
    DTYPES,
    TIERS,
    read_chat,
    read_choice,
    read_concurrency,
    read_count,
    read_device,
    read_flag,
    read_seconds,
    read_variable,
)

MODEL_ROWS = (
    Option(
        "device",
        "model",
        "cpu, cuda, cuda:1, mps or auto (default auto)",
        read_device,
        default="auto",
        metavar="DEVICE",
    ),
    Option(
        "dtype",
        "model",
        "auto, float32, float16 or bfloat16 (default auto)",
        partial(read_choice, DTYPES),
        default="auto",
        metavar="DTYPE",
    ),
    Option(
        "batch-size",
        "model",
        "rows a generation batch (default: the model's own)",
        read_count,
        metavar="N",
    ),
    Option(
        "threads",
        "model",
        "processor threads of the model (default: chosen by timing its steps)",
        read_count,
        metavar="N",
    ),
    Option(
        "concurrency",
        "model",
        "requests on their way to a served model at a time, or auto (default auto)",
        read_concurrency,
        metavar="N",
    ),
    Option(
        "patience",
        "model",
        "time without an answer after which a served model is given up (default 10m)",
        read_seconds,
        default=600.0,
        metavar="TIME",
    ),
    Option(
        "api-key-env",
        "model",
        "the variable that has the key of the address given with --model; on the command line only",
        read_variable,
        metavar="VARIABLE",
    ),
    Option(
        "demand-identity",
        "model",
        "stated or verified: refuse a served model whose weights are not stated, or not verified",
        partial(read_choice, TIERS),
        default="observed",
        metavar="TIER",
    ),
    Option(
        "new-generation",
        "model",
        "take a served model for a new one; the answers of the old one are kept apart",
        read_flag,
        default=False,
    ),
    Option(
        "chat",
        "model",
        "yes, no or auto: talk through the model's chat template",
        read_chat,
        metavar="WHEN",
    ),
    Option(
        "allow-bin",
        "model",
        "load .bin weights (weights_only) where there are no safetensors",
        read_flag,
        default=False,
    ),
    Option(
        "trust-remote-code",
        "model",
        "let a checkpoint run its own Python code",
        read_flag,
        default=False,
    ),
)
"""The rows in the order of the help."""
