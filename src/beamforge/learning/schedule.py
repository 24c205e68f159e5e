"""The course of the learning rate, as a function of the step alone: a resumed training cannot lose it."""

from __future__ import annotations

import math

from beamforge.learning.config import TrainingConfig

_RISE = 0.3
_START = 1 / 25
_END = _START / 1e4


def learning_rate(config: TrainingConfig, step: int, steps: int) -> float:
    """Give the learning rate of a step.

    ``"cosine"`` falls to 0 at the end (Loshchilov & Hutter 2017, without restarts). ``"one_cycle"`` rises from 1/25 of
    the learning rate during 30 % of the steps and falls to 1e-4 of that start, both along a cosine (Smith & Topin
    2018).

    Parameters
    ----------
    config
        Learning rate, schedule and warm-up.
    step
        From 0.
    steps
        Steps of the whole training.
    """
    return config.learning_rate * _factor(config, step, steps)


def _factor(config: TrainingConfig, step: int, steps: int) -> float:
    if step < config.warmup:
        return (step + 1) / (config.warmup + 1)
    if config.schedule == "cosine":
        return _anneal(1.0, 0.0, (step - config.warmup) / max(1, steps - config.warmup))
    if config.schedule == "one_cycle":
        peak = _RISE * steps - 1
        if step <= peak:
            return _anneal(_START, 1.0, step / peak)
        return _anneal(1.0, _END, (step - peak) / (steps - 1 - peak))
    return 1.0


def _anneal(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2
