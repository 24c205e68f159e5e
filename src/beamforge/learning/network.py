"""Networks that give plain logits at the size of their input, whatever stands behind them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from beamforge.errors import InputError
from beamforge.learning.architectures.base import SEGMENTATION
from beamforge.learning.config import NetworkConfig
from beamforge.learning.weights import load_pretrained

_MIXED = 3
"""Channels that a mixer makes: as many as pretrained weights expect."""
_GROUPS = 32


class Network(nn.Module):
    """Maps images (batch, channel, y, x) of any size to logits (batch, class, y, x) of the same size.

    Sides that are not divisible by `multiple` are continued by their border pixels and cut again.

    Parameters
    ----------
    core
        What the architecture built.
    mixer
        What makes its channels of those of a block of the image.
    shrink
        Side in px of the blocks whose pixels become channels.
    enlarge
        What makes pixels of the logits of a block.
    multiple
        Divisor in px of the sides that can be taken.
    """

    core: nn.Module
    mixer: nn.Module
    enlarge: nn.Module
    multiple: int

    def __init__(self, core: nn.Module, mixer: nn.Module, shrink: int, enlarge: nn.Module, multiple: int) -> None:
        super().__init__()
        self.shrink = nn.PixelUnshuffle(shrink)
        self.mixer = mixer
        self.core = core
        self.enlarge = enlarge
        self.multiple = multiple

    def forward(self, images: Tensor) -> Tensor:
        """Compute the logits."""
        height, width = images.shape[-2:]
        below, right = -height % self.multiple, -width % self.multiple
        if below or right:
            images = functional.pad(images, (0, right, 0, below), mode="replicate")
        logits = self.core(self.mixer(self.shrink(images)))
        if isinstance(logits, Mapping):
            logits = logits["out"]
        result: Tensor = self.enlarge(logits)[..., :height, :width]
        return result


def create_network(config: NetworkConfig, channels: int, classes: int, *, seed: int = 0) -> Network:
    """Make a network.

    Parameters
    ----------
    config
        Architecture, encoder, weights.
    channels
        Input channels.
    classes
        Output classes.
    seed
        Seed of the random weights; torch's global random state is neither used nor changed.

    Raises
    ------
    InputError
        If encoder and architecture do not go together, or weights are not there or do not fit.
    """
    if channels < 1 or classes < 1:
        raise InputError(f"a network for {channels} channels and {classes} classes; both must be at least 1")
    architecture = config.build_architecture()
    mixing, per_pixel = config.input == "mixer", architecture.task == SEGMENTATION
    seen = channels * config.shrink**2
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        core = architecture.build(_MIXED if mixing else seen, classes * (config.shrink**2 if per_pixel else 1))
        mixer = nn.Conv2d(seen, _MIXED, kernel_size=1) if mixing else nn.Identity()
    _normalise_pooled_in_groups(core)
    enlarge = nn.PixelShuffle(config.shrink) if per_pixel else nn.Identity()
    network = Network(core, mixer, config.shrink, enlarge, config.shrink * architecture.multiple(core))
    if config.weights != "random":
        load_pretrained(architecture, network, config.weights)
    return network


def _normalise_pooled_in_groups(module: nn.Module) -> None:
    """Replace batch normalisation after image pooling by group normalisation.

    A pooled image is one value per channel: over a batch of one its variance does not exist, over a batch of two every
    normalised value is ±1 and says nothing. Groups of channels of one image do not depend on the batch.
    """
    for part in module.modules():
        if isinstance(part, nn.Sequential) and any(_pools_the_image(layer) for layer in part):
            _replace_batch_normalisation(part)


def _pools_the_image(layer: nn.Module) -> bool:
    return isinstance(layer, nn.AdaptiveAvgPool2d) and layer.output_size in (1, (1, 1))


def _replace_batch_normalisation(module: nn.Module) -> None:
    for name, layer in module.named_children():
        if isinstance(layer, nn.BatchNorm2d):
            groups = _GROUPS if layer.num_features % _GROUPS == 0 else 1
            setattr(module, name, nn.GroupNorm(groups, layer.num_features, eps=layer.eps))
        else:
            _replace_batch_normalisation(layer)
