"""A package as pip installs it: a module and the metadata that names its entry points."""

from __future__ import annotations

from pathlib import Path


def install(folder: Path, name: str, source: str, points: str) -> None:
    """Lays an installed package into a folder of the import path.

    Args:
        source: the text of the module `name`.
        points: the text of its `entry_points.txt`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
