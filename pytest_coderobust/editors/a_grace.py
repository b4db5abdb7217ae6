"""A-GRACE: GRACE whose keys are learned codes of whole prompts, so that paraphrases count too.

Zhang et al. 2024 (arXiv 2411.06638). A query is the mean of the projection's inputs over the
prompt's real tokens, encoded. Its published form (loss=contrastive,epsilon=1) has a fixed radius,
which either holds nearly everything or nothing; ours calibrates on held-out cases, and refuses
where that buys nothing.

Departures: the lookup is done for every prompt and not only for the first one after an edit, the
released code's fault; masks tell pads, not equal states; labels are compared as token ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import torch

from pytest_coderobust.editors.access import Access
from pytest_coderobust.editors.codebook import Codebook
from pytest_coderobust.editors.codebook_values import find_value, refuse_small_gain, start_value
from pytest_coderobust.editors.encoded_codebook import (
    EncodedBook,
    EncodedCodebookChange,
    insert_code,
)
from pytest_coderobust.editors.encoder_store import KeptEncoder, load_encoder, stock_encoder
from pytest_coderobust.editors.hit_calibration import HitThreshold, calibrate, measure_threshold
from pytest_coderobust.editors.lookup import lookup
from pytest_coderobust.editors.ordinary_cases import read_training_cases
from pytest_coderobust.editors.projection import Projection
from pytest_coderobust.editors.prompt_states import read_mean_states
from pytest_coderobust.editors.protocol import EditRequest, Facts, ModelChange
from pytest_coderobust.editors.trained_options import AGraceOptions
from pytest_coderobust.errors import EditRefused
from pytest_coderobust.knowledge.case_set import CaseSet


class AGrace:
    """Editor by A-GRACE; successive edits add keys to one codebook."""

    def __init__(self, options: AGraceOptions) -> None:
        self.options = options
        self._cases: CaseSet | None = None
        self._kept: KeptEncoder | None = None

    def train_on(self, cases: CaseSet) -> None:
        """Takes the cases to learn from, in the place of those that the option `train` names."""
        self._cases = cases

    def prepare(self, access: Access) -> Facts:
        """Trains the encoder, or reads it.

        Raises:
            UsageError: there are too few cases.
            DataError: the named encoder cannot be read.
            ModelError: it is another model's, or the training diverged.
        """
        with access.model_threads():
            return self._prepare(access).facts

    def compute(
        self, access: Access, requests: Sequence[EditRequest], so_far: ModelChange | None = None
    ) -> EncodedCodebookChange:
        assert so_far is None or isinstance(so_far, EncodedCodebookChange)
        kept = self._prepare(access)
        threshold = self._decide(kept, requests[0].label)
        projection = access.projection(kept.layer)
        codes = so_far.codes if so_far else None
        losses: list[float] = []
        for request in requests:
            codes, losses = self._learn(access, projection, kept, threshold, request, codes)
        assert codes is not None
        facts: dict[str, object] = {
            "layer": kept.layer,
            "replace": self.options.replace,
            "labels": [list(label) for label in codes.book.labels],
            "ratio": codes.ratio,
            "slope": codes.encoder.slope,
            "unit": codes.encoder.unit,
            "losses": losses,
            "specificity": threshold.specificity,
            "generalisation": threshold.generalisation,
            "training": kept.facts,
            "notes": [self._write_note(threshold), *_describe_training(kept.facts)],
        }
        return EncodedCodebookChange(codes, facts)

    def _prepare(self, access: Access) -> KeptEncoder:
        if self._kept is None:
            options = self.options
            if options.encoder:
                self._kept = load_encoder(access, options.encoder, options.layer)
            else:
                layer = access.layer_index(options.layer, 27 / 32)
                cases = self._cases or read_training_cases(
                    options.train, options.cases, options.seed
                )
                self._kept = stock_encoder(access, layer, cases, options)
        return self._kept

    def _decide(self, kept: KeptEncoder, label: str) -> HitThreshold:
        """Decides what counts as the edited prompt.

        Raises:
            EditRefused: at the wanted specificity it would be next to nothing else.
        """
        options = self.options
        if options.epsilon is not None:
            return measure_threshold(kept.by_radius, options.epsilon)
        scores = kept.by_ratio if options.test == "ratio" else kept.by_radius
        found = calibrate(scores, options.specificity)
        if found.generalisation < options.least:
            raise EditRefused(
                f"{label}: A-GRACE buys nothing: at a specificity of {options.specificity:g} "
                f"{found.generalisation:.0%} of the rewrites of {found.cases} held-out cases count "
                f"as their prompt (least={options.least:g}); another layer, more cases or a lower "
                "specificity may"
            )
        return found

    def _learn(
        self,
        access: Access,
        projection: Projection,
        kept: KeptEncoder,
        threshold: HitThreshold,
        request: EditRequest,
        codes: EncodedBook | None,
    ) -> tuple[EncodedBook, list[float]]:
        prompt, target = access.encode(request, request.perturbed), access.target(request)
        with torch.no_grad():
            code = kept.encoder.encode(read_mean_states(access, kept.layer, [prompt]))[0]
        start = start_value(lookup(access, projection, prompt).output.cpu(), self.options)
        by_ratio = self.options.epsilon is None and self.options.test == "ratio"
        empty = Codebook(code[None][:0], start[None][:0], torch.zeros(0), ())
        bank = kept.bank if by_ratio else None
        fresh = EncodedBook(empty, kept.encoder, bank, threshold.value if by_ratio else 1.0)
        grown, place = insert_code(codes, fresh, code, start, target, threshold.value)
        value, losses = find_value(
            access, projection, prompt, target, grown.book.values[place], self.options
        )
        refuse_small_gain(request.label, "A-GRACE", losses, self.options.gain)
        book = grown.book.with_value(place, value)
        return EncodedBook(book, grown.encoder, grown.bank, grown.ratio), losses

    def _write_note(self, found: HitThreshold) -> str:
        options = self.options
        by_ratio = options.epsilon is None and options.test == "ratio"
        rule = f"{'ratio' if by_ratio else 'distance'} <= {found.value:.3g}"
        how = "calibrated" if options.epsilon is None else "fixed"
        limit = rule if isfinite(found.value) else "any prompt"
        return (
            f"counts as the edited prompt: {limit} ({how}); of {found.cases} held-out cases "
            f"{found.specificity:.0%} keep all neighbours, and {found.generalisation:.0%} of the "
            "rewrites count"
        )


def _describe_training(facts: Facts) -> list[str]:
    """Describes what the encoder learned from; files of before do not say."""
    if "fitted" not in facts:
        return []
    said = (
        f"encoder of {facts['fitted']} cases with {facts['negatives']} neighbours, bank of "
        f"{facts['bank']} prompts; none of them is one of the held-out cases'"
    )
    return [said]
