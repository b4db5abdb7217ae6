"""Signatures of vLLM that the adapter depends on, read from wheels without importing anything.

    pip download --no-deps vllm==0.33.0 && python bench/vllm_signatures.py vllm-*.whl

writes tests/support/vllm_signatures.json, which tests/unit/test_vllm_contract.py binds every call
of the adapter to. The first version in the file is the lower bound of the extra `vllm`.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import zipfile
from pathlib import Path

TARGET = Path(__file__).parents[1] / "tests" / "support" / "vllm_signatures.json"

CALLS = {
    "LLM": ("vllm/entrypoints/llm.py", "LLM", "__init__"),
    "LLMEngine.add_request": ("vllm/v1/engine/llm_engine.py", "LLMEngine", "add_request"),
    "LLMEngine.step": ("vllm/v1/engine/llm_engine.py", "LLMEngine", "step"),
    "LLMEngine.abort_request": ("vllm/v1/engine/llm_engine.py", "LLMEngine", "abort_request"),
    "InprocClient.shutdown": ("vllm/v1/engine/core_client.py", "InprocClient", "shutdown"),
    "cleanup_dist_env_and_memory": (
        "vllm/distributed/parallel_state.py",
        "",
        "cleanup_dist_env_and_memory",
    ),
    "RequestOutput": ("vllm/outputs.py", "RequestOutput", "__init__"),
}
"""Functions, by the name that tests know them by: file, class, function."""

FIELDS = {
    "EngineArgs": "vllm/engine/arg_utils.py",  # LLM hands them what it does not name itself
    "SamplingParams": "vllm/sampling_params.py",
    "CompletionOutput": "vllm/outputs.py",
    "RequestOutputKind": "vllm/sampling_params.py",
}
"""Classes whose fields count, and their files."""

PROMPT_FILES = ("vllm/inputs/llm.py", "vllm/inputs/data.py")
"""Files in which one version or the other has the keys of a prompt."""

VARIABLES = (
    "VLLM_ENABLE_V1_MULTIPROCESSING",
    "VLLM_NO_USAGE_STATS",
    "VLLM_LOGGING_LEVEL",
    "VLLM_BATCH_INVARIANT",
)


class Sources:
    """The Python files of a wheel."""

    def __init__(self, wheel: Path) -> None:
        self._archive = zipfile.ZipFile(wheel)
        self._names = frozenset(self._archive.namelist())

    def has(self, name: str) -> bool:
        return name in self._names

    def text(self, name: str) -> str:
        return self._archive.read(name).decode()

    def find(self, name: str, owner: str) -> ast.Module | ast.ClassDef:
        """The body of a class, or of the whole file where `owner` is ""."""
        tree = ast.parse(self.text(name))
        if not owner:
            return tree
        return next(
            node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == owner
        )


def read_signature(body: ast.Module | ast.ClassDef, function: str) -> list[list[object]]:
    """A function's parameters without `self`: name, kind, whether it has a default."""
    node = next(
        each for each in body.body if isinstance(each, ast.FunctionDef) and each.name == function
    )
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    optional = len(plain) - len(given.defaults)
    found: list[list[object]] = [
        [argument.arg, "POSITIONAL_OR_KEYWORD", place >= optional]
        for place, argument in enumerate(plain)
        if argument.arg not in ("self", "cls")
    ]
    if given.vararg:
        found.append([given.vararg.arg, "VAR_POSITIONAL", False])
    found += [
        [argument.arg, "KEYWORD_ONLY", default is not None]
        for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    if given.kwarg:
        found.append([given.kwarg.arg, "VAR_KEYWORD", False])
    return found


def read_fields(body: ast.Module | ast.ClassDef) -> list[str]:
    """The fields of a class: what it annotates, or the members of an enumeration."""
    found: list[str] = []
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append(node.target.id)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.append(node.targets[0].id)
    return [name for name in found if not name.startswith("_")]


def read_wheel(wheel: Path) -> dict[str, object]:
    """All that the adapter depends on, of one version."""
    sources = Sources(wheel)
    prompts = next(name for name in PROMPT_FILES if sources.has(name))
    variables = sources.text("vllm/envs.py")
    return {
        "calls": {
            name: read_signature(sources.find(file, owner), function)
            for name, (file, owner, function) in CALLS.items()
        },
        "fields": {name: read_fields(sources.find(file, name)) for name, file in FIELDS.items()},
        "prompt": read_fields(sources.find(prompts, "TokensPrompt")),
        "variables": [name for name in VARIABLES if f'"{name}"' in variables],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", nargs="+", type=Path)
    found: dict[tuple[int, ...], dict[str, object]] = {}
    for wheel in parser.parse_args().wheels:
        package, version = wheel.name.split("-")[:2]
        release = tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])
        print(f"{package} {version}: {wheel.stat().st_size} bytes")
        found[release] = {"package": package, "version": version, **read_wheel(wheel)}
    lines = [
        json.dumps(found[release], separators=(",", ":"), sort_keys=True)
        for release in sorted(found)
    ]
    TARGET.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
