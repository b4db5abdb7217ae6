"""Registry of rewriters by the kinds that a suite names; nothing heavy loads before use."""

from __future__ import annotations

from pathlib import Path

from pytest_coderobust.config.rewriters import RewriterSpec
from pytest_coderobust.rewriters.apertium import Apertium, check_apertium
from pytest_coderobust.rewriters.function import find_function
from pytest_coderobust.rewriters.rewriter import SentenceRewriter
from pytest_coderobust.rewriters.seq2seq import Seq2Seq, check_seq2seq


def open_rewriter(
    spec: RewriterSpec, base: Path, where: str, *, allow_bin: bool = False
) -> SentenceRewriter:
    """Opens the rewriter of a specification that is not "rows".

    Args:
        base: the folder that relative paths start from.
        where: section and key, for messages.

    Raises:
        UsageError: what it needs is not there.
    """
    if spec.kind == "apertium":
        (pivot,) = spec.arguments
        check_apertium(pivot, where)
        return Apertium(pivot)
    if spec.kind == "transformers":
        check_seq2seq(spec.arguments, base, where)
        return Seq2Seq(spec.arguments, base, allow_bin=allow_bin)
    module, name = spec.arguments
    return find_function(module, name, base, where)


def remark(spec: RewriterSpec) -> str:
    """Returns what a report must say about a rewriter, or ""."""
    if spec.kind == "apertium":
        return "is lossy: its English is poor, so its variants may say something else"
    return ""
