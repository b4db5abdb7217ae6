"""Change that leaves a model as it was: where every request so far was refused."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pytest_coderobust.editors.protocol import Facts
from pytest_coderobust.records import Variant

if TYPE_CHECKING:
    import torch

    from pytest_coderobust.editors.access import Access


@dataclass(frozen=True, slots=True, eq=False)
class NoChange:
    """Change of nothing; it cannot be saved."""

    facts: Facts = field(default_factory=dict[str, object])
    kind: Literal["none"] = "none"

    @contextmanager
    def installed(self, access: Access) -> Generator[Facts]:  # noqa: ARG002
        yield {}

    def rewrite(self, variants: Sequence[Variant], access: Access) -> list[str]:  # noqa: ARG002
        return [variant.prompt for variant in variants]

    def tensors(self) -> Mapping[str, torch.Tensor]:
        return {}
