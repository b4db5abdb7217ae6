"""Installed distributions as pip leaves them: files, metadata and the RECORD of both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path


def lay_distribution(
    folder: Path,
    name: str,
    files: Mapping[str, str],
    *,
    version: str = "1.0",
    requires: Iterable[str] = (),
    record: Iterable[str] | None = None,
    editable: bool = False,
) -> Path:
    """Lays a distribution into a folder of the import path; returns its metadata's folder.

    Args:
        files: texts by path.
        record: the paths of its RECORD; its own files by default, and no RECORD for none.
    """
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    listed = [*files, f"{info.name}/METADATA", f"{info.name}/RECORD"]
    if record is not None:
        listed = list(record)
    if editable:
        source = {"url": "file:///src", "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(source), encoding="utf-8")
        listed.append(f"{info.name}/direct_url.json")
    if listed:
        (info / "RECORD").write_text("".join(f"{each},,\n" for each in listed), encoding="utf-8")
    return info
