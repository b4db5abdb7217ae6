"""`[tool.coderobust]` means the same from every folder of the project."""

from __future__ import annotations

from pathlib import Path

from pytest_coderobust.config.settings import read_settings

PYPROJECT = """
[tool.coderobust.models]
ours.id = "checkpoints/latest"
theirs.id = "bigcode/starcoderbase-1b"
"""


def test_model_folder_starts_beside_pyproject_and_a_hub_id_stays_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    assert read_settings(tmp_path).models["ours"].id == "checkpoints/latest"
    folder = tmp_path / "checkpoints" / "latest"
    folder.mkdir(parents=True)
    models = read_settings(tmp_path).models
    assert models["ours"].id == str(folder)
    assert models["theirs"].id == "bigcode/starcoderbase-1b"
