"""Names of models that vLLM runs, and what is refused with a way out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tomli
from packaging.requirements import Requirement
from packaging.version import Version
from support.models_checkpoints import BODY, OTHER, OTHER_BODY, PROMPT, REST, row, save_memorised
from support.recorded_vllm import VERSIONS, RecordedVllm, Seen

from pytest_coderobust.config.settings import read_settings
from pytest_coderobust.errors import ConfigError, MissingExtra, UnknownName, UsageError
from pytest_coderobust.models.folders import bundled_folder
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import (
    check_model_name,
    explain_weightless,
    has_weights,
    is_served,
    open_backend,
)
from pytest_coderobust.records import Sampling
from pytest_coderobust.session.models import list_known_models

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [(PROMPT, BODY + REST), (OTHER, OTHER_BODY)]
NEWEST = VERSIONS[-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tokenizer and network of Llama's form: the first space of a text is lost when decoding."""
    return save_memorised(tmp_path_factory.mktemp("vllm"), "sentence-piece", TEXTS)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Seen:
    return RecordedVllm(NEWEST).install(monkeypatch, tmp_path / "site")


def open_vllm(folder: Path, **options: Any) -> Any:
    return open_backend(f"vllm:{folder}", options=ModelOptions(**options))


def test_names(folder: Path, seen: Seen) -> None:
    check_model_name(f"vllm:{folder}")
    assert not has_weights(f"vllm:{folder}")
    assert not is_served(f"vllm:{folder}")
    assert explain_weightless(f"vllm:{folder}").endswith(f"leave vLLM out: --model={folder}")
    assert open_backend("vllm:tiny").identity.facts["weights"]
    with pytest.raises(UsageError, match="a folder belongs behind it"):
        check_model_name("vllm:")
    with pytest.raises(UsageError, match="no such folder"):
        check_model_name("vllm:./nowhere")
    with pytest.raises(UnknownName, match="unknown checkpoint for vLLM 'tinny'"):
        check_model_name("vllm:tinny")


def test_a_model_of_the_projects_own_says_that_vllm_runs_it(
    folder: Path, tmp_path: Path, seen: Seen
) -> None:
    table = f'id = "{folder}"\nengine = "vllm"\ntemplate = "# {{prompt}}"\ndtype = "bfloat16"\n'
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.coderobust.models.ours]\n{table}")
    known = list_known_models(read_settings(tmp_path))
    check_model_name("ours", known)
    assert not has_weights("ours", known)
    told = explain_weightless("ours", known)
    assert told.startswith("model 'ours' is run by vLLM")
    assert told.endswith(f"--model={folder}")
    model: Any = open_backend("ours", known=known)
    model.generate([row(PROMPT)], Sampling(max_new_tokens=2))
    assert seen.loads[0]["dtype"] == "bfloat16"
    assert len(seen.asked[0]["ids"]) == model.count_tokens(PROMPT, "python")
    assert model.count_tokens(PROMPT, "python") > open_vllm(folder).count_tokens(PROMPT, "python")
    assert model.identity.facts["vllm"]
    file.write_text('[tool.coderobust.models.ours]\nid = "x/y"\nengine = "vlm"\n')
    with pytest.raises(ConfigError, match="engine"):
        read_settings(tmp_path)


def test_an_adapter_is_refused_with_what_to_do(folder: Path, tmp_path: Path, seen: Seen) -> None:
    facts = {"peft_type": "LORA", "base_model_name_or_path": str(folder)}
    (tmp_path / "adapter_config.json").write_text(json.dumps(facts))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    told = f"merge it into its base for vLLM, or leave vLLM out: --model={tmp_path}"
    with pytest.raises(UsageError, match=re.escape(told)):
        _ = open_vllm(tmp_path).identity


def test_a_gguf_file_is_refused_with_what_to_do(tmp_path: Path, seen: Seen) -> None:
    pytest.importorskip("gguf")
    from support.tiny_gguf import write_gguf

    file = write_gguf(bundled_folder(), tmp_path / "tiny.gguf")
    with pytest.raises(UsageError, match=r"a GGUF file goes through .* not through vLLM"):
        _ = open_vllm(file).identity


def test_without_vllm_one_sentence_says_how_to_get_it(folder: Path) -> None:
    with pytest.raises(MissingExtra) as caught:
        check_model_name(f"vllm:{folder}")
    extra = "pip install 'pytest-coderobust[vllm]'"
    assert str(caught.value) == f"model 'vllm:{folder}' needs the optional extra 'vllm': {extra}"


def test_the_lower_bound_is_the_oldest_version_that_was_read() -> None:
    project = tomli.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    (wanted,) = project["project"]["optional-dependencies"]["vllm"]
    (bound,) = Requirement(wanted).specifier
    assert (bound.operator, Version(bound.version)) == (">=", Version(VERSIONS[0]))
