"""A network between two others of one origin, in the space of weights."""

from __future__ import annotations

import copy

import torch

from beamforge.errors import InputError
from beamforge.learning.segmenter import Segmenter


@torch.no_grad()
def between(before: Segmenter, after: Segmenter, share: float) -> Segmenter:
    """Mix the weights of a network before and after it was fine-tuned.

    What was learnt from little data lies in the direction of the change, and so does what was overlearnt and forgotten;
    on other data than that fine-tuned on, part of the way is often better than either end. It costs one network's time.

    Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", Eq. 1, who take one half unless they know
    better. Running statistics are mixed as weights are.

    Parameters
    ----------
    before, after
        The networks, the second one fine-tuned from the first.
    share
        Of the fine-tuned one, from 0 to 1.

    Raises
    ------
    InputError
        If the share is out of range, or the networks differ in more than their weights.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError(f"a share of {share}, expected one from 0 to 1")
    first, second = before.description, after.description
    same = (first.network.model_copy(update={"weights": second.network.weights}), first.classes.names, first.scaling)
    if same != (second.network, second.classes.names, second.scaling):
        raise InputError("the networks differ in architecture, classes or scaling, so that no weights lie between them")
    network = copy.deepcopy(after.network)
    start = before.network.state_dict()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.lerp_(start[name].to(value.device), 1.0 - share)
    description = second.model_copy(
        update={
            "halo": max(first.halo, second.halo),
            "provenance": {**second.provenance, "share_of_fine_tuned_weights": share},
        }
    )
    return Segmenter(network, description, "cpu" if after.device.type == "cpu" else "cuda")
