"""Rounds of scoring, sampling and fine-tuning, each resumable wherever it was interrupted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.random import SeedSequence, default_rng

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.files import read_json, write_json
from beamforge.learning.adaptive.config import AdaptiveConfig
from beamforge.learning.adaptive.parameters import numeric_parameters
from beamforge.learning.adaptive.scoring import SCORES, score_samples, worst
from beamforge.learning.classifier import Classifier
from beamforge.learning.config import TrainingConfig
from beamforge.learning.data import LabelledImages, Remembered, Selection, StoredDataset
from beamforge.learning.plan import LabelledTiles
from beamforge.learning.pools import Joined
from beamforge.learning.segmenter import Segmenter
from beamforge.learning.training import train
from beamforge.simulation.dataset import write_dataset
from beamforge.simulation.scenario import Scenario
from beamforge.simulation.variations import Variations

Sampling = Literal["adaptive", "random"]
Trained = Segmenter | Classifier


@dataclass(frozen=True)
class Learner:
    """What is trained: a network that segments, or another one with the same ways.

    Attributes
    ----------
    train
        Trains, as `beamforge.learning.train` does.
    load
        Reads a trained network from its folder.
    view
        Turns simulated samples into what it learns from, such as `TileClasses`.
    """

    train: Callable[..., Trained]
    load: Callable[..., Trained]
    view: Callable[[LabelledImages], LabelledTiles]


def _as_they_are(samples: LabelledImages) -> LabelledTiles:
    return samples


SEGMENT = Learner(train, Segmenter.load, _as_they_are)
"""Learns a class for every pixel."""


@dataclass(frozen=True)
class Scored:
    """The samples that a round scored.

    Attributes
    ----------
    seed
        Sample ``i`` is ``scenario(seed, i)``.
    scores
        Of each sample (sample,), NaN where no pixel counts.
    parameters
        Each numeric parameter that differs between samples (sample,), by its name.
    chosen
        Numbers of the samples that are varied, the worst first.
    """

    seed: int
    scores: Float64
    parameters: Mapping[str, Float64]
    chosen: tuple[int, ...]


@dataclass(frozen=True)
class FineTuning:
    """A fine-tuning by rounds; all about it but where it starts.

    Source: Trampert et al. 2021, section 3.3. Whether it samples adaptively or at random, it adds as many samples,
    trains on them as often with as many old samples between them, and draws from the same seeds: the two rivals differ
    in nothing else.

    Attributes
    ----------
    scenario
        What simulates.
    config, training
        How samples are found, and how each round trains on them.
    seed
        Of what is scored and sampled.
    learner
        What is trained.
    progress
        Whether to show how far simulations are.
    """

    scenario: Scenario
    config: AdaptiveConfig
    training: TrainingConfig
    seed: int
    learner: Learner = SEGMENT
    progress: bool = True

    def run(
        self,
        start: str | Path,
        seen: LabelledImages,
        validation: Mapping[str, LabelledTiles],
        out: str | Path,
        sampling: Sampling = "adaptive",
    ) -> Trained:
        """Do all rounds, or those that are left.

        Parameters
        ----------
        start
            Folder of the trained network to go on with.
        seen
            What it was trained on.
        validation
            What to validate with after every epoch, by name.
        out
            Folder of the rounds: ``round-N`` holds ``scores.json``, ``samples.zarr`` and ``training/``.
        sampling
            ``"adaptive"``, or ``"random"`` for its rival.

        Returns
        -------
        The network after the last round.

        Raises
        ------
        InputError
            If network and scenario have other classes or channels.
        """
        model = Path(start)
        network = self.learner.load(model, self.training.device)
        self._check_start(network, self.learner.view(seen))
        for number in range(1, self.config.rounds + 1):
            folder = Path(out) / f"round-{number}"
            seeds = [int(word) for word in SeedSequence([self.seed, number]).generate_state(3)]
            source: Scenario | Variations = self.scenario
            if sampling == "adaptive":
                source = self._variations(self.score(network, folder, seeds[0]))
            write_dataset(source, folder / "samples.zarr", self.config.samples, seeds[1], progress=self.progress)
            new = Remembered(StoredDataset(folder / "samples.zarr"))
            network = self.learner.train(
                network.description.network.model_copy(update={"weights": str(model / "model.safetensors")}),
                self.training,
                self.learner.view(mixed(seen, new, self.config.old_share, seeds[2])),
                validation,
                folder / "training",
                simulated=True,
                scaling=network.description.scaling,
                origin={"sampling": sampling, "round": number},
            )
            model, seen = folder / "training" / "model", Joined([seen, new])
        return network

    def score(self, network: Trained, folder: str | Path, seed: int) -> Scored:
        """Score fresh samples and choose the worst, or read what was found before."""
        folder = Path(folder)
        if not (folder / "scores.json").exists():
            # On the disk, so that an interrupted scoring has lost no simulation, and only until it is done.
            pool = write_dataset(
                self.scenario, folder / "scored.zarr", self.config.scored, seed, progress=self.progress
            )
            data = self.learner.view(StoredDataset(folder / "scored.zarr"))
            scores = score_samples(network, data, SCORES[self.config.score])
            parameters = numeric_parameters([pool.parameters(number) for number in range(len(pool))])
            table = {
                "seed": seed,
                "score": self.config.score,
                "scores": [None if np.isnan(score) else score for score in scores.tolist()],
                "parameters": {name: values.tolist() for name, values in parameters.items()},
                "chosen": worst(scores, self.config.parents).tolist(),
            }
            write_json(folder / "scores.json", table)
        shutil.rmtree(folder / "scored.zarr", ignore_errors=True)
        return read_scores(folder)

    def _variations(self, scored: Scored) -> Variations:
        parents = [self.scenario(scored.seed, number).parameters for number in scored.chosen]
        return Variations(self.scenario, parents, self.config.spread)

    def _check_start(self, network: Trained, seen: LabelledTiles) -> None:
        channels = len(self.scenario.channels)
        if network.classes.names != seen.classes.names or len(network.channels) != channels:
            raise InputError(
                f"the network has the classes {list(network.classes.names)} and {len(network.channels)} channels, what "
                f"it has seen {list(seen.classes.names)} and the scenario {channels}; they must be the same"
            )


def read_scores(folder: str | Path) -> Scored:
    """Read what a round scored from its folder."""
    table: dict[str, Any] = read_json(Path(folder) / "scores.json")
    return Scored(
        seed=table["seed"],
        scores=np.array([np.nan if score is None else score for score in table["scores"]], dtype=np.float64),
        parameters={name: np.array(values, dtype=np.float64) for name, values in table["parameters"].items()},
        chosen=tuple(table["chosen"]),
    )


def mixed(old: LabelledImages, new: LabelledImages, old_share: float, seed: int) -> Selection:
    """Take all new samples and as many old ones that these make up their share, each at most once as long as they last.

    Parameters
    ----------
    old, new
        The data sets.
    old_share
        Share of old samples, from 0 to below 1.
    seed
        Which old samples are taken.
    """
    count = round(old_share / (1 - old_share) * len(new))
    rng = default_rng(seed)
    rounds = [number for _ in range(-(-count // len(old))) for number in rng.permutation(len(old)).tolist()]
    return Selection([(old, number) for number in rounds[:count]] + [(new, number) for number in range(len(new))])
