"""Content loss: pixels, features of VGG16, and their Gram matrices."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from beamforge.errors import InputError
from beamforge.learning.losses import LOSSES
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from torch import Tensor

    from beamforge.learning.perception import Perception

Form = Literal["paper", "notebook"]
_GRAM = 5e3


@LOSSES.register("content")
def content(logits: Tensor, labels: Tensor, *, form: Form = "paper", vgg: str = "auto") -> Tensor:
    """Compare the probability of foreground (all classes but 0) with the truth as two pictures.

    - ``paper``: the squared differences of the pixels, of three outputs of VGG16 (the ReLUs before its pools 3, 4
      and 5) and of their Gram matrices, all with the weight 1 (Fang et al. 2021, Eq. 3);
    - ``notebook``: absolute differences; the outputs are those of VGG16 with batch normalisation (indices 22, 32, 42)
      with the weights w = 5, 15, 2, their Gram matrices with 5000 w² (the notebook the paper cites, after
      Johnson et al. 2016).

    All differences are means over the elements; pixels labelled 255 are taken as they are predicted.

    Parameters
    ----------
    logits
        (batch, class, y, x); sides of 32 px or more.
    labels
        int64 (batch, y, x).
    form
        Which of the two.
    vgg
        Weights of VGG16: ``"cached"`` (ImageNet, from timm's local cache), ``"random"`` (fixed random features),
        ``"auto"`` (cached where they are, else random with a warning), or a safetensors file.

    Raises
    ------
    InputError
        If the images are too small, the form is unknown, or weights are asked for that are not there.
    """
    from torch.nn import functional

    if form not in ("paper", "notebook"):
        raise InputError(f"the loss 'content' has the form {form!r}, expected 'paper' or 'notebook'")
    if min(logits.shape[-2:]) < 32:
        raise InputError(
            f"images of {tuple(logits.shape[-2:])} px are too small for VGG16; take tiles of 32 px or more"
        )
    found = 1.0 - logits.softmax(dim=1)[:, :1]
    counted = (labels != IGNORE)[:, None]
    truth = (labels != 0)[:, None].to(found).where(counted, found.detach())
    difference = functional.mse_loss if form == "paper" else functional.l1_loss
    seen = _perception(form == "notebook", vgg).to(found.device)
    weights = (1.0, 1.0, 1.0) if form == "paper" else (5.0, 15.0, 2.0)
    total = difference(found, truth)
    for weight, ours, theirs in zip(weights, seen(found), seen(truth), strict=True):
        gram_weight = 1.0 if form == "paper" else _GRAM * weight**2
        total = total + weight * difference(ours, theirs)
        total = total + gram_weight * difference(gram(ours), gram(theirs))
    return total


def gram(features: Tensor) -> Tensor:
    """Give the products of the channels (batch, channel, channel) over c·y·x of features (batch, channel, y, x)."""
    flat = features.flatten(start_dim=2)
    result: Tensor = flat @ flat.transpose(1, 2) / flat[0].numel()
    return result


@lru_cache(maxsize=4)
def _perception(normalised: bool, vgg: str) -> Perception:
    from beamforge.learning.perception import create_perception

    return create_perception(normalised, vgg)
