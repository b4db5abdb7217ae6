"""The bundled model behind `transformers serve`: the same completions as in process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from support.real_servers import RealServer, serve_folder
from support.served_pairs import SHORT, ask_here, ask_served, folder_entry, list_prompts

from pytest_coderobust.models.served.handshake import HandshakeWish, shake_hands
from pytest_coderobust.models.served.patience import Patience, PatientTransport
from pytest_coderobust.models.served.transport import PooledTransport
from pytest_coderobust.tiny import checkpoint_path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    for package in ("fastapi", "uvicorn", "openai"):
        pytest.importorskip(package, reason="transformers[serving] is not installed")
    with serve_folder(checkpoint_path(), tmp_path_factory.mktemp("serve") / "log.txt") as running:
        yield running


def test_handshake_finds_what_the_server_is(server: RealServer) -> None:
    transport = PooledTransport(server.url, {})
    # Behind an error, of which its list of models is one, it cuts the connection.
    patient = PatientTransport(transport, "here", "prod", Patience())
    shaken = shake_hands(patient, HandshakeWish("prod", model=server.model, window=512))
    transport.close()
    assert (shaken.kind, shaken.word, shaken.stop_limit) == ("transformers", "max_tokens", 32)
    assert (shaken.answered, shaken.neutral) == (f"{server.model}@main", {})
    # The checkpoint's own defaults say that it does not sample, and no field changes that.
    assert shaken.seeds == "not shown"


@pytest.mark.parametrize("concurrency", [1, 8])
def test_forty_completions_are_those_in_process(server: RealServer, concurrency: int) -> None:
    prompts = list_prompts()
    ours = ask_here(prompts, SHORT)
    entry = {**folder_entry(checkpoint_path()), "window": 512}
    theirs = ask_served(server, prompts, SHORT, concurrency, **entry)
    assert [each.text for each in theirs] == [each.text for each in ours]
    assert [each.finish for each in theirs] == [each.finish for each in ours]
    assert [each.tokens for each in theirs] == [each.tokens for each in ours]
    assert set(Counter(each.finish for each in ours)) == {"eos", "stop", "length"}
