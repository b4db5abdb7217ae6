"""Specification of a model (name, place, dtype, template) and the user's options for running it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.errors import UsageError

DTYPES = ("auto", "float32", "float16", "bfloat16")
ROWS = 32
ROWS_TINY = 128
DEVICE_MAPS = ("balanced", "balanced_low_0", "sequential")
"""Devices that spread one model over every accelerator (accelerate's device maps)."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Specification of a checkpoint: its place, and the form that its prompts have.

    Attributes:
        id: a hub id ("Qwen/Qwen2.5-Coder-7B") or a local folder.
        chat: the model was tuned to follow instructions: prompts go through its chat template.
        dtype: "auto" is the checkpoint's own.
        template: text around the prompt; "{prompt}" and "{language}" are replaced.
            None: the bare prompt, or `prompts.CHAT_TEMPLATE` where `chat` is set.
        revision: a branch, tag or commit of the hub; None is the default branch.
        server: says where the model is served; None for a checkpoint.
        threads: processor threads that its recorded answers were made with, where the user asks
            for none; None lets generation time its own steps.
        engine: what runs it in this process: "transformers" or "vllm".
    """

    id: str
    chat: bool = False
    dtype: str = "auto"
    template: str | None = None
    revision: str | None = None
    server: ServerEntry | None = None
    threads: int | None = None
    engine: str = "transformers"


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Options of the command line about the model; None and "auto" leave the choice to the spec.

    Attributes:
        device: "auto" (cuda if present, else cpu), "cpu", "cuda", "cuda:1", or one of
            `DEVICE_MAPS`.
        batch_size: rows in a batch; shrinks when memory runs out. None is `ROWS`, and `ROWS_TINY`
            for a model whose rows are cheap.
        chat: asks for or refuses the chat template, whatever the registry says.
        allow_bin: loads a checkpoint without safetensors, with `weights_only=True`.
        threads: processor threads; None lets the spec say, or generation time its own steps.
        concurrency: requests on their way to one server; None lets the client find it.
        patience: seconds without a success after which a served model is given up.
        api_key_env: the variable that has a server's key; typed beside the command.
    """

    dtype: str = "auto"
    device: str = "auto"
    batch_size: int | None = None
    chat: bool | None = None
    allow_bin: bool = False
    trust_remote_code: bool = False
    threads: int | None = None
    revision: str | None = None
    template: str | None = None
    concurrency: int | None = None
    patience: float = 600.0
    api_key_env: str | None = None


def apply_options(spec: ModelSpec, options: ModelOptions) -> ModelSpec:
    """Applies the options to a spec.

    Raises:
        UsageError: a value is impossible, or the template has no place for the prompt.
    """
    if options.batch_size is not None and options.batch_size < 1:
        raise UsageError(f"batch size {options.batch_size} must be at least 1")
    if options.threads is not None and options.threads < 1:
        raise UsageError(f"threads {options.threads} must be at least 1")
    dtype = spec.dtype if options.dtype == "auto" else options.dtype
    if dtype not in DTYPES:
        raise UsageError(f"model {spec.id}: dtype {dtype!r} is none of {', '.join(DTYPES)}")
    template = options.template or spec.template
    if template is not None and "{prompt}" not in template:
        raise UsageError(f"model {spec.id}: template {template!r} has no {{prompt}} in it")
    return ModelSpec(
        id=spec.id,
        chat=spec.chat if options.chat is None else options.chat,
        dtype=dtype,
        template=template,
        revision=options.revision or spec.revision,
        threads=spec.threads,
        engine=spec.engine,
    )
