"""Prompts as token ids: those of our own backend, and every answer's count is held against them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.real_servers import RealServer
from support.scripted_server import serve
from support.served_models import Known, completed, make_row, open_toy

from pytest_coderobust.config.served import ServerEntry
from pytest_coderobust.errors import ModelError
from pytest_coderobust.models.batches import steps_within
from pytest_coderobust.models.options import ModelOptions
from pytest_coderobust.models.registry import ModelSpec, open_backend
from pytest_coderobust.models.served.agreement import PlainAgreement
from pytest_coderobust.models.served.backend import ServedBackend
from pytest_coderobust.records import Sampling
from pytest_coderobust.tiny import checkpoint_path

ROW = make_row('def twice(x):\n    """Return x times two."""\n')
TWELVE = Sampling(max_new_tokens=12)


def stated(url: str, window: int | None = None) -> ServerEntry:
    folder = str(checkpoint_path())
    return ServerEntry((url,), "toy", weights=folder, tokenizer=folder, window=window)


def own_ids() -> list[int]:
    return open_backend("tiny").encode(ROW.variant.prompt, "python")  # type: ignore[attr-defined]


def test_ids_are_those_of_our_own_backend_and_bound_the_room() -> None:
    ids = own_ids()
    agreed = PlainAgreement("toy", takes_ids=True, extra_tokens=0, window=len(ids) + 5)
    usage = {"prompt_tokens": len(ids), "completion_tokens": 5}
    with serve(lambda _: completed("x", usage=usage)) as server:
        backend = open_toy(entry=stated(server.url), agreed=agreed)
        assert backend.unavailable(ROW.variant, TWELVE) == ""
        backend.generate([ROW], TWELVE)
    (asked,) = server.asked
    assert asked.body["prompt"] == ids
    assert asked.body["max_tokens"] == steps_within(5, 12), "as our own backend counts the room"


def test_a_prompt_that_does_not_fit_is_unavailable_with_its_length() -> None:
    length = len(own_ids())
    agreed = PlainAgreement("toy", takes_ids=True, extra_tokens=0)
    backend = open_toy(entry=stated("http://127.0.0.1:1/v1", length), agreed=agreed)
    assert backend.unavailable(ROW.variant, TWELVE) == (
        f"prompt of {length} tokens, window of {length}"
    )


@pytest.mark.parametrize("counted", [-1, 1])
@pytest.mark.parametrize("takes_ids", [True, False])
def test_a_server_that_counts_otherwise_ends_the_session(counted: int, takes_ids: bool) -> None:
    length = len(own_ids())
    agreed = PlainAgreement("toy", takes_ids=takes_ids, extra_tokens=0)
    usage = {"prompt_tokens": length + counted, "completion_tokens": 5}
    with serve(lambda _: completed("x", usage=usage)) as server:
        backend = open_toy(entry=stated(server.url), agreed=agreed)
        with pytest.raises(ModelError) as caught:
            backend.generate([ROW], TWELVE)
    assert f"the server counts {length + counted} tokens in a prompt of {length}" in str(
        caught.value
    )


def test_a_text_with_a_bos_of_the_servers_has_one_token_more() -> None:
    agreed = PlainAgreement("toy", extra_tokens=1)
    usage = {"prompt_tokens": len(own_ids()) + 1, "completion_tokens": 5}
    with serve(lambda _: completed("x", usage=usage)) as server:
        (found,) = open_toy(entry=stated(server.url), agreed=agreed).generate([ROW], TWELVE)
    assert found.text == "x"


def test_a_bos_of_the_servers_takes_its_place_at_the_windows_edge() -> None:
    """The prompt and the BOS leave three tokens, and then none."""
    length = len(own_ids()) + 1
    usage = {"prompt_tokens": length, "completion_tokens": 1}
    with serve(lambda _: completed("x", usage=usage)) as server:
        for left, room in ((3, steps_within(3, 12)), (1, 1)):
            agreed = PlainAgreement("toy", extra_tokens=1, window=length + left)
            backend = open_toy(entry=stated(server.url), agreed=agreed)
            assert backend.unavailable(ROW.variant, TWELVE) == ""
            backend.generate([ROW], TWELVE)
            assert server.asked[-1].body["max_tokens"] == room <= left
        full = open_toy(
            entry=stated(server.url), agreed=PlainAgreement("toy", extra_tokens=1, window=length)
        )
        told = f"prompt of {length} tokens, window of {length}"
        assert full.unavailable(ROW.variant, TWELVE) == told


@pytest.mark.parametrize(("wants", "chat"), [(True, False), (False, False), (True, True)])
def test_a_plan_knows_the_bos_that_the_tokenizers_file_asks_for(
    tmp_path: Path, wants: bool, chat: bool
) -> None:
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    for file in checkpoint_path().glob("*token*"):
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config |= {"add_bos_token": wants, "chat_template": "{{ messages[0].content }}"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    entry = ServerEntry(("http://127.0.0.1:1/v1",), "toy", tokenizer=str(folder), chat=chat)
    backend = open_toy(entry=entry)
    assert backend.tokens is not None
    expected = len(backend.tokens.encode(ROW.variant.prompt, "python")) + (wants and not chat)
    assert backend.count_tokens(ROW.variant.prompt, "python") == expected


@pytest.mark.parametrize("extra", [None, 0, 1])
def test_a_bos_of_the_servers_is_counted_before_a_row_is_sent(extra: int | None) -> None:
    """A budget's worst case counts it; a plan asks nobody, and knows of none but the file's."""
    agreed = PlainAgreement("toy", extra_tokens=extra)
    usage = {"prompt_tokens": len(own_ids()) + (extra or 0), "completion_tokens": 5}
    with serve(lambda _: completed("x", usage=usage)) as server:
        backend = open_toy(entry=stated(server.url), agreed=agreed)
        assert backend.count_tokens(ROW.variant.prompt, "python") == len(own_ids())
        assert not server.asked
        assert backend.identity
        assert backend.count_tokens(ROW.variant.prompt, "python") == usage["prompt_tokens"]
        backend.generate([ROW], TWELVE)  # which holds the answer's count against it


def test_prompts_that_grow_are_checked_and_others_are_not() -> None:
    class Watching(Known):
        seen: list[int]

        def check_length(self, *given: object) -> None:
            self.seen.append(len(str(given[-1])))

    watching = Watching(PlainAgreement("toy"))
    object.__setattr__(watching, "seen", [])
    with serve(lambda _: completed("x")) as server:
        backend = ServedBackend(open_toy(server.url).server, watching)
        for size in (100, 90, 120, 126, 200, 130):
            backend.generate([make_row("x" * size)], TWELVE)
    assert watching.seen == [100, 126, 200]


def test_a_real_server_gets_ids_and_writes_what_our_own_backend_writes(
    llama_server: RealServer, tmp_path: Path
) -> None:
    """llama.cpp's server on the bundled model: greedy, in float32."""
    entry = ServerEntry((llama_server.url,), llama_server.model, tokenizer=str(checkpoint_path()))
    known = {"prod": ModelSpec(entry.id, server=entry)}
    served = open_backend("prod", options=ModelOptions(concurrency=4), known=known)
    own = open_backend("tiny", options=ModelOptions(device="cpu"))
    rows = [make_row(f'def f{place}(x):\n    """Return x plus {place}."""\n') for place in range(8)]
    sampling = Sampling(max_new_tokens=24, stop=("\ndef", "\n\n\n"))
    found, meant = served.generate(rows, sampling), own.generate(rows, sampling)
    assert served.identity.facts["prompts sent as"] == "token ids"
    assert [each.text for each in found] == [each.text for each in meant]
    served.close()
