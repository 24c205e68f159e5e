"""Steps that tests of the frame use; in a module of their own, so that worker processes can import them."""

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
from numpy.random import Generator
from pydantic import PositiveInt

from beamforge.simulation import Degradation, IntegerInterval, Intensity, Interval, LogInterval, Parameters, Sample


class LabelNoise(Intensity, name="label_noise_for_tests"):
    """Noise of a drawn level around one drawn mean per class and channel; the means are a large draw."""

    channels: PositiveInt = 2
    level: Interval = Interval(low=0.1, high=0.2)
    seconds: float = 0.0  # how long it takes, for tests that interrupt it

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        return {"level": self.level.draw(rng), "means": rng.normal(size=(self.channels, 256))}

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        time.sleep(self.seconds)
        noise = rng.normal(0, parameters["level"], (self.channels, *sample.labels.shape))
        image = (parameters["means"][:, sample.labels] + noise).astype(np.float32)
        return sample.replace(image=image, extras={"noise": noise})


class Drift(Degradation, name="drift_for_tests"):
    """All kinds of intervals, drawn by the frame itself."""

    gain: LogInterval = LogInterval(low=0.5, high=2.0)
    offset: Interval = Interval(low=-1.0, high=1.0)
    shift: IntegerInterval = IntegerInterval(low=-3, high=3)

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        drifted = sample.image * parameters["gain"] + parameters["offset"]
        return sample.replace(image=np.roll(drifted, parameters["shift"], axis=2).astype(np.float32))


class Deadly(Degradation, name="deadly_for_tests"):
    """Kills the worker process that applies it, as the system does for want of memory; once, if a file may say so."""

    once: str = ""  # path of the file that remembers the death

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        in_worker = multiprocessing.parent_process() is not None
        if in_worker and not (self.once and Path(self.once).exists()):
            if self.once:
                Path(self.once).touch()
            os._exit(9)
        return sample
