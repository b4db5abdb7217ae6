"""Content keys: equal keys mean equal inputs, down to weights, sampling, judge and isolation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace
from functools import cache

from pytest_coderobust.config.suite import SuiteConfig
from pytest_coderobust.models.backend import Backend
from pytest_coderobust.models.extraction.solution import EXTRACTOR_VERSION
from pytest_coderobust.records import (
    AnswerReading,
    ApiChange,
    Language,
    Packages,
    Sampling,
    Variant,
    digest,
)
from pytest_coderobust.sandbox import JUDGE_VERSION, TESTING_VERSION, USES_VERSION
from pytest_coderobust.sandbox.check import Check
from pytest_coderobust.sandbox.languages.toolchain import toolchain_version
from pytest_coderobust.sandbox.packages.resolve import resolve


def make_completion_key(
    backend: Backend,
    variant: Variant,
    sampling: Sampling,
    sample: int,
    tags: tuple[str, ...] = (),
) -> str:
    """Makes the key of one completion.

    The key covers the model's digest (weights, edits, tokenizer, template, dtype, device kind,
    library versions), the prompt (for recordings the task and cell too), the sampling without n,
    the sample index, and the batch size, because greedy decoding moves with it. The thought tags
    that a suite adds are part of it where there are some: tokens are decoded and counted by them.
    """
    asked: list[object] = [variant.prompt]
    if tags and backend.keyed_by == "prompt":
        asked.append(list(tags))
    if backend.keyed_by == "variant":
        cell = variant.cell
        asked += [variant.task.id, variant.task.canonical, cell.perturbation, cell.seed]
    drawn = _list_drawn(sampling)
    return digest("completion", backend.identity.digest, asked, drawn, sample, backend.batch_size)


def make_noise_seed(variant: Variant, sampling: Sampling, sample: int) -> int:
    """Makes the seed of a row's own random generator.

    The model is left out on purpose: the base and an edited model then draw with common random
    numbers, which takes sampling noise out of their paired comparison.
    """
    return int(digest("noise", variant.prompt, _list_drawn(sampling), sample)[:16], 16)


@cache
def _list_drawn(sampling: Sampling) -> tuple[object, ...]:
    """The part of the sampling that a sample depends on: all but the number of samples."""
    return astuple(replace(sampling, n=0))


def make_verdict_key(check: Check, tier: str) -> str:
    """Makes a verdict's key from solution, tests, API changes, packages, limits, judge and tier."""
    judged = (check.solution, astuple(check.tests), check.entry_point, check.language)
    changes = [change.parts for change in check.api_changes]
    counting = [USES_VERSION] if changes else []
    how: list[object] = [[*changes, *counting], check.in_process]
    if check.packages:
        how.append(astuple(check.packages))
    if "testing" in check.tests.source:
        how.append(TESTING_VERSION)
    judge = (JUDGE_VERSION, toolchain_version(check.language), tier)
    return digest("verdict", judged, how, astuple(check.limits), judge)


def digest_judge(config: SuiteConfig, tier: str) -> str:
    """Digests what turns a completion into a verdict, apart from the task."""
    how = (*_list_extraction(config), JUDGE_VERSION, *_list_packages(config))
    return digest("judge", EXTRACTOR_VERSION, *how, tier)


def find_packages(config: SuiteConfig, language: Language = "python") -> Packages:
    """Finds the packages of a suite as they are installed here; none for other languages.

    Raises:
        ConfigError: one of them cannot be used; the message names the suite's file.
    """
    if not config.packages or language != "python":
        return Packages()
    return resolve(config.packages, f"{config.path}: [sandbox] packages")


def _list_packages(config: SuiteConfig) -> list[object]:
    """Lists the packages and their versions; left out where there are none."""
    return [astuple(find_packages(config))] if config.packages else []


def _list_extraction(config: SuiteConfig) -> list[object]:
    """Lists what the suite says about extraction; a choice that it leaves open is left out."""
    chosen = config.reading != AnswerReading()
    return [config.extraction, *([astuple(config.reading)] if chosen else [])]


def digest_run(
    plan_digest: str,
    config: SuiteConfig,
    backend: Backend,
    tier: str,
    changes: Sequence[ApiChange] = (),
) -> str:
    """Digests plan, model, sampling and judge; runs of equal digest continue one another.

    Args:
        changes: every API change that a task of the plan declares.
    """
    sampling = config.sampling
    return digest(
        "run",
        plan_digest,
        backend.identity.digest,
        backend.batch_size,
        [sampling.n, sampling.temperature, sampling.top_p, sampling.max_new_tokens],
        [list(sampling.stop), sampling.seed],
        digest_judge(config, tier),
        *([USES_VERSION] if changes else []),
    )


def make_comparison_basis(plan_digest: str, config: SuiteConfig) -> dict[str, str]:
    """Digests what two runs must share to be compared, apart from sampling and perturbations.

    The isolation tier is left out: it guards the machine and decides no verdict, and a baseline
    written on one machine must serve another.
    """
    return {
        "tasks": plan_digest[:16],
        "extractor": digest("extractor", EXTRACTOR_VERSION, *_list_extraction(config))[:16],
        "judge": digest("judge", JUDGE_VERSION, *_list_packages(config))[:16],
    }
