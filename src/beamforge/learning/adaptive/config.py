"""The settings of adaptive sampling."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

from beamforge.errors import one_of
from beamforge.learning.adaptive.scoring import SCORES

Share = Annotated[float, Field(gt=0, le=1)]


class AdaptiveConfig(BaseModel):
    """How samples are found that a network fails on, and what is made of them.

    Attributes
    ----------
    rounds
        How often it is scored, sampled and trained.
    scored
        Fresh samples scored in each round.
    score
        What a sample is judged by: ``"mean_iou"``, the mean IoU of the classes it holds; ``"log_likelihood"``, the mean
        log-probability of the true classes, which also grades tiles that are right or wrong as a whole; or
        ``"calibrated_likelihood"``, the same less what the network itself expects, which passes over samples whose
        truth is hidden by noise and finds those it is confident and wrong about.
    worst
        Share of the scored samples that is varied.
    variations
        Variations of each of them.
    spread
        Largest move of a numeric parameter, as a fraction of its interval's width.
    old_share
        Share of the samples trained on in a round that come from what the network has seen before. A large one keeps
        hard samples the exceptions they are, so that little is lost of what was easy; a small one learns more from the
        new samples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds: PositiveInt = 1
    scored: PositiveInt = 1000
    score: str = "mean_iou"
    worst: Share = 0.1
    variations: PositiveInt = 10
    spread: Share = 0.1
    old_share: Annotated[float, Field(ge=0, lt=1)] = 0.5

    @field_validator("score")
    @classmethod
    def _known_score(cls, score: str) -> str:
        if score not in SCORES:
            raise one_of("score", score, SCORES)
        return score

    @property
    def parents(self) -> int:
        """How many samples are varied in each round."""
        return max(1, round(self.worst * self.scored))

    @property
    def samples(self) -> int:
        """How many samples each round adds."""
        return self.parents * self.variations
