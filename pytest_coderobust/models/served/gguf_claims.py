"""Claims of a server against the GGUF file that it is said to have loaded."""

from __future__ import annotations

import re

from pytest_coderobust.models.gguf import GgufHeader
from pytest_coderobust.models.served.handshake_claims import ListedModel

_TYPE = re.compile(r"(?:IQ|TQ|Q)\d+(?:_[01K])?|BF16|F16|F32")
"""The part of a type's name that the file ("Q4_K_M") and llama.cpp ("Q4_K - Medium") share."""


def list_contradictions(header: GgufHeader, claims: ListedModel) -> tuple[str, ...]:
    """Lists where a server's words about its model differ from the file's; empty for none.

    A claim that the server does not make contradicts nothing.
    """
    pairs = (
        ("parameters", claims.parameters, header.parameters),
        ("tokens in the vocabulary", claims.vocabulary, header.vocabulary),
        ("bytes of tensors", claims.size, header.size),
    )
    found = [
        f"the server has {claimed:,} {noun}, the file {own:,}"
        for noun, claimed, own in pairs
        if claimed is not None and claimed != own
    ]
    types = [_TYPE.search(text.upper()) for text in (claims.quantisation, header.quantisation)]
    names = [match.group() for match in types if match]
    if len(set(names)) == 2:
        found.append(f"the server has {names[0]}, the file {names[1]}")
    return tuple(found)
