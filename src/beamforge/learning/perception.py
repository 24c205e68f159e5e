"""VGG16 as a judge of pictures; imported when a loss needs it."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from beamforge.errors import InputError
from beamforge.learning.weights import cached_file, fill, read_tensors

OUTPUTS = {False: (15, 22, 29), True: (22, 32, 42)}
"""The ReLUs before pools 3, 4 and 5 of VGG16, without and with batch normalisation."""
_NAMES = {False: "vgg16", True: "vgg16_bn"}
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Perception(nn.Module):
    """Gives three outputs of VGG16 of grey pictures (batch, 1, y, x) from 0 to 1; its weights never change."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, features: nn.Sequential, outputs: tuple[int, ...]) -> None:
        super().__init__()
        self.features = features
        self.outputs = outputs
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1))
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Compute the features."""
        x = (pictures.expand(-1, 3, -1, -1) - self.mean) / self.deviation
        found = []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number in self.outputs:
                found.append(x)
        return found


def create_perception(normalised: bool, weights: str) -> Perception:
    """Make the judge.

    Parameters
    ----------
    normalised
        Whether VGG16 has batch normalisation.
    weights
        ``"auto"``, ``"cached"``, ``"random"`` or a safetensors file; see `beamforge.learning.losses.content`.

    Raises
    ------
    InputError
        If the weights are not there or do not fit.
    """
    import timm
    from torchvision.models import vgg16, vgg16_bn

    file = None if weights in ("auto", "cached", "random") else Path(weights)
    if weights in ("auto", "cached"):
        config = timm.get_pretrained_cfg(_NAMES[normalised])
        file = cached_file(config.hf_hub_id, None) if config and config.hf_hub_id else None
    if file is None and weights == "cached":
        raise InputError(
            f"the local cache holds no weights of {_NAMES[normalised]}; let timm fetch them where there is a network, "
            "give a .safetensors file, or set vgg to 'random'"
        )
    if file is None and weights == "auto":
        warnings.warn(
            f"no ImageNet weights of {_NAMES[normalised]} are in the local cache: the content loss compares fixed "
            "random features instead; set vgg='random' to say that this is meant",
            stacklevel=2,
        )
    outputs = OUTPUTS[normalised]
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(16)
        features = (vgg16_bn if normalised else vgg16)(weights=None).features[: outputs[-1] + 1]
    # The outputs are kept, so that no layer may write over them.
    for layer in features:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    if file is not None:
        tensors = {n.removeprefix("features."): t for n, t in read_tensors(file).items() if n.startswith("features.")}
        with torch.no_grad():
            fill(features, tensors, file)
    return Perception(features, outputs)
