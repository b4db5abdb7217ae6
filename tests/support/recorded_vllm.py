"""A stand-in for vLLM: the signatures of a real version, and transformers behind them.

Every call is bound to the signature that `bench/vllm_signatures.py` read from the wheel, so a call
that the real package would refuse fails here, too. Rows are written one at a time by transformers'
own `generate`, and handed out in an order that a seed draws.
"""

from __future__ import annotations

import json
import os
import random
import sys
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from inspect import Parameter, Signature
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_coderobust.models.quiet import quiet

RECORDS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("vllm_signatures.json").read_text(encoding="utf-8")
)
VERSIONS = [record["version"] for record in RECORDS]


@dataclass
class Seen:
    """A record of what the stand-in was asked.

    Attributes:
        loads: the arguments of each `LLM(...)`.
        variables: the variables that vLLM would have read while it loaded.
        asked: the parameters of each request, in the order of asking.
        in_work: the most requests that were in work at the same time.
        aborted: requests that were given up.
        events: what happened to the engine ("load", "shutdown", "cleanup").
    """

    loads: list[dict[str, Any]] = field(default_factory=list)
    variables: dict[str, str | None] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    in_work: int = 0
    aborted: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)


class RecordedVllm:
    """The modules of one version.

    Args:
        fails: what loading says, if it is to fail.
        reason: a finish reason that every row gets in the place of its own.
        steps: steps that a row takes before it is done, at most; drawn by row.
    """

    def __init__(
        self, version: str, *, fails: str = "", reason: str = "", steps: int = 3, seed: int = 0
    ) -> None:
        self.record = next(each for each in RECORDS if each["version"] == version)
        self.seen = Seen()
        self._fails, self._reason, self._steps = fails, reason, steps
        self._random = random.Random(seed)

    def install(self, monkeypatch: pytest.MonkeyPatch, folder: Path, build: str = "+cpu") -> Seen:
        """Makes `import vllm` find this, and its version in a distribution below a folder."""
        pretend_installed(monkeypatch, folder, self.record["version"] + build)
        tops = {
            "vllm": {"LLM": self._load, "__path__": []},
            "vllm.sampling_params": {
                "SamplingParams": self._make_params,
                "RequestOutputKind": SimpleNamespace(
                    **{name: name for name in self.record["fields"]["RequestOutputKind"]}
                ),
            },
            "vllm.distributed": {"cleanup_dist_env_and_memory": self._clean_up},
        }
        for name, members in tops.items():
            module = ModuleType(name)
            module.__spec__ = ModuleSpec(name, None)
            module.__dict__.update(members)
            monkeypatch.setitem(sys.modules, name, module)
        return self.seen

    def bind(self, call: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Binds a call as Python would; what LLM does not name must be a field of EngineArgs."""
        described = self.record["calls"][call]
        parameters = [
            Parameter(
                name,
                getattr(Parameter, kind),
                default=None if optional else Parameter.empty,
            )
            for name, kind, optional in described
        ]
        bound = Signature(parameters).bind(*args, **kwargs).arguments
        more = bound.pop("kwargs", {})
        unknown = set(more) - set(self.record["fields"]["EngineArgs"])
        assert not unknown, f"EngineArgs has no {unknown}"
        return {**bound, **more}

    def _load(self, *args: Any, **kwargs: Any) -> Any:
        given = self.bind("LLM", *args, **kwargs)
        self.seen.loads.append(given)
        self.seen.variables = {name: os.environ.get(name) for name in self.record["variables"]}
        if self._fails:
            raise ValueError(self._fails)
        self.seen.events.append("load")
        random.seed(given["seed"])  # as an engine in this process does
        torch.manual_seed(given["seed"])
        return SimpleNamespace(llm_engine=RecordedEngine(self, given))

    def _make_params(self, **kwargs: Any) -> dict[str, Any]:
        unknown = set(kwargs) - set(self.record["fields"]["SamplingParams"])
        assert not unknown, f"SamplingParams has no {unknown}"
        assert kwargs["n"] == 1
        assert kwargs["output_kind"] == "FINAL_ONLY"
        assert kwargs["seed"] is None or 0 <= kwargs["seed"] < 2**31
        assert 0 < kwargs["top_p"] <= 1
        assert all(kwargs["stop"]), "vLLM refuses an empty stop string"
        return kwargs

    def _clean_up(self, *args: Any, **kwargs: Any) -> None:
        self.bind("cleanup_dist_env_and_memory", *args, **kwargs)
        self.seen.events.append("cleanup")

    def shut_down(self, *args: Any, **kwargs: Any) -> None:
        self.bind("InprocClient.shutdown", *args, **kwargs)
        self.seen.events.append("shutdown")

    def make_output(self, request: str, ids: list[int], written: SimpleNamespace) -> Any:
        """A finished request with the attributes of the real one, and no others."""
        text = dict.fromkeys(self.record["fields"]["CompletionOutput"])
        reason = self._reason or written.reason
        text |= {"token_ids": written.ids, "finish_reason": reason, "stop_reason": written.by}
        names = [name for name, _, _ in self.record["calls"]["RequestOutput"] if name != "kwargs"]
        reply = dict.fromkeys(names)
        reply |= {"request_id": request, "outputs": [SimpleNamespace(**text)], "finished": True}
        return SimpleNamespace(**{**reply, "prompt_token_ids": ids, "num_cached_tokens": 0})

    def draw_steps(self) -> int:
        return self._random.randint(1, self._steps)


def pretend_installed(monkeypatch: pytest.MonkeyPatch, folder: Path, version: str) -> None:
    """Puts a distribution of vLLM that has nothing but a version where Python looks first."""
    place = folder / version
    info = place / f"vllm-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    monkeypatch.syspath_prepend(place)


class RecordedEngine:
    """The engine: rows are written whole when they are due."""

    def __init__(self, vllm: RecordedVllm, given: dict[str, Any]) -> None:
        self._vllm = vllm
        self._in_work: dict[str, tuple[int, dict[str, Any], list[int]]] = {}
        self._names: set[str] = set()
        self.engine_core = SimpleNamespace(shutdown=vllm.shut_down)
        with quiet():
            dtype = getattr(torch, given["dtype"])
            self._model: Any = AutoModelForCausalLM.from_pretrained(given["model"], dtype=dtype)
            self._tokenizer: Any = AutoTokenizer.from_pretrained(given["tokenizer"])

    def add_request(self, *args: Any, **kwargs: Any) -> str:
        given = self._vllm.bind("LLMEngine.add_request", *args, **kwargs)
        request, prompt, params = given["request_id"], given["prompt"], given["params"]
        assert isinstance(request, str)
        assert request not in self._names, "vLLM does not take a name twice"
        assert set(prompt) <= set(self._vllm.record["prompt"])
        self._names.add(request)
        seen = self._vllm.seen
        seen.asked.append({**params, "ids": prompt["prompt_token_ids"]})
        self._in_work[request] = (self._vllm.draw_steps(), params, prompt["prompt_token_ids"])
        seen.in_work = max(seen.in_work, len(self._in_work))
        return request

    def step(self, *args: Any, **kwargs: Any) -> list[Any]:
        self._vllm.bind("LLMEngine.step", *args, **kwargs)
        assert self._in_work, "a step without a request would wait for ever"
        done: list[Any] = []
        for request, (left, params, ids) in list(self._in_work.items()):
            self._in_work[request] = (left - 1, params, ids)
            if left == 1:
                del self._in_work[request]
                done.append(self._vllm.make_output(request, ids, self._write(params, ids)))
        return done

    def abort_request(self, *args: Any, **kwargs: Any) -> None:
        given = self._vllm.bind("LLMEngine.abort_request", *args, **kwargs)
        for request in given["request_ids"]:
            del self._in_work[request]
            self._vllm.seen.aborted.append(request)

    def _write(self, params: dict[str, Any], ids: list[int]) -> SimpleNamespace:
        """New tokens up to an end token, the one that completes a stop string, or the limit."""
        hot = params["temperature"] > 0
        with torch.random.fork_rng(), torch.no_grad(), quiet():
            torch.manual_seed(params["seed"] or 0)
            found = self._model.generate(
                torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids)),
                max_new_tokens=params["max_tokens"],
                do_sample=hot,
                **({"temperature": params["temperature"], "top_k": 0} if hot else {}),
                pad_token_id=0,
                eos_token_id=params["stop_token_ids"],
            )
        new = found[0, len(ids) :].tolist()
        for place in range(1, len(new) + 1):
            if new[place - 1] in params["stop_token_ids"]:
                own = new[place - 1] == self._tokenizer.eos_token_id
                by = None if own else new[place - 1]
                return SimpleNamespace(ids=new[:place], reason="stop", by=by)
            text = self._tokenizer.decode(new[:place], skip_special_tokens=True)
            stop = next((each for each in params["stop"] if each in text), None)
            if stop is not None:
                return SimpleNamespace(ids=new[:place], reason="stop", by=stop)
        return SimpleNamespace(ids=new, reason="length", by=None)
