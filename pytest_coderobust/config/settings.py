"""The table `[tool.coderobust]` of a project's pyproject.toml: its suites, models and ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_coderobust.config.served import ServerEntry, read_server_entry
from pytest_coderobust.config.table import Table, read_toml

DTYPES = ("auto", "float32", "float16", "bfloat16")
ENGINES = ("transformers", "vllm")


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model of the user's own, as `[tool.coderobust.models.NAME]` declares it.

    Attributes:
        server: says where it is served; None for a checkpoint.
        engine: what runs a checkpoint in this process, one of `ENGINES`.
    """

    id: str
    revision: str | None = None
    dtype: str = "auto"
    chat: bool = False
    template: str | None = None
    server: ServerEntry | None = None
    engine: str = "transformers"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a project.

    Attributes:
        suites: files added to a run that names a model but no path.
        models: short names of the project's own.
        ledger: the results store, relative to the project's root.
    """

    suites: tuple[Path, ...] = ()
    models: Mapping[str, ModelEntry] = field(default_factory=dict[str, ModelEntry])
    ledger: Path | None = None


def read_settings(root: Path) -> Settings:
    """Reads the project's settings; the defaults where pyproject.toml is absent or says nothing.

    A pyproject.toml that does not parse is its owner's business, not ours: pytest and pip say so.

    Raises:
        ConfigError: a key or value of `[tool.coderobust]` is wrong.
    """
    file = root / "pyproject.toml"
    if not file.is_file():
        return Settings()
    table = Table(read_toml(file), "", file).table("tool").table("coderobust")
    ledger = table.text("ledger", "")
    settings = Settings(
        suites=tuple(root / suite for suite in table.texts("suites")),
        models={name: _model(entry, root) for name, entry in table.table("models").tables()},
        ledger=root / ledger if ledger else None,
    )
    table.finish()
    return settings


def _model(table: Table, root: Path) -> ModelEntry:
    if "server" in table:
        server = read_server_entry(table, root)
        table.finish()
        return ModelEntry(server.id, chat=server.chat, template=server.template, server=server)
    if "id" not in table:
        raise table.error("id", "missing; it names a hub id or a local folder (or give `server`)")
    named = table.text("id", "")
    # without the root, "checkpoints/latest" would be a hub id from another folder: another model
    folder = root / Path(named).expanduser()
    entry = ModelEntry(
        id=str(folder) if named and (folder.is_dir() or folder.suffix == ".gguf") else named,
        revision=table.text("revision", "") or None,
        dtype=table.choice("dtype", "auto", DTYPES),
        chat=table.boolean("chat", default=False),
        template=table.text("template", "") or None,
        engine=table.choice("engine", "transformers", ENGINES),
    )
    table.finish()
    return entry
