"""Weights from files: safetensors only, and never from the network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from beamforge.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from beamforge.learning.architectures.base import Architecture

_PICKLES = {".pth", ".pt", ".bin", ".ckpt", ".pkl", ".pickle", ".tar"}


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises
    ------
    InputError
        If the file is missing, a pickle, or no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(path)
    check_not_pickle(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file of weights")
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise InputError(f"{path} is not a whole safetensors file ({error})") from error


def check_not_pickle(path: Path) -> None:
    """Refuse files that would run code when read.

    Raises
    ------
    InputError
        Saying how to convert the file.
    """
    if path.suffix in _PICKLES:
        raise InputError(
            f"{path} is a pickle, which can run any program when it is read; where you trust it, convert it once with "
            "safetensors.torch.save_file and give the .safetensors file"
        )


def cached_file(repository: str, revision: str | None) -> Path | None:
    """Find a repository's ``model.safetensors`` in the local cache that timm fills; the network is never asked."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, "model.safetensors", revision=revision)
    return Path(found) if isinstance(found, str) else None


def _wanted(module: nn.Module, besides: tuple[str, ...] = ()) -> list[str]:
    """List the tensors that a file must hold; the counters of batch normalisation matter to no result."""
    names = module.state_dict().keys()
    return [n for n in names if not n.endswith("num_batches_tracked") and not (besides and n.startswith(besides))]


def check_complete(
    module: nn.Module, tensors: Mapping[str, Tensor], source: Path, besides: tuple[str, ...] = ()
) -> None:
    """Refuse a file that lacks tensors of a module.

    Raises
    ------
    InputError
        Naming what is missing.
    """
    missing = [name for name in _wanted(module, besides) if name not in tensors]
    if missing:
        raise InputError(f"{source} lacks {_some(missing)}; it holds weights of another network")


def fill(module: nn.Module, tensors: Mapping[str, Tensor], source: Path, besides: tuple[str, ...] = ()) -> None:
    """Copy tensors into a module; more tensors than it needs may be there.

    Parameters
    ----------
    module
        What to fill.
    tensors
        Tensors by name.
    source
        File to name in errors.
    besides
        First parts of names that stay as they are where the shape differs or the tensor is missing.

    Raises
    ------
    InputError
        Naming tensors that are missing or have another shape.
    """
    check_complete(module, tensors, source, besides)
    state = module.state_dict()
    for name, target in state.items():
        value = tensors.get(name)
        if value is None:
            continue
        if value.shape != target.shape:
            if besides and name.startswith(besides):
                continue
            raise InputError(
                f"{source} has {name} of shape {tuple(value.shape)}, the network {tuple(target.shape)}; weights for 3 "
                "input channels need input='mixer'"
            )
        target.copy_(value)


def load_pretrained(architecture: Architecture, network: nn.Module, weights: str) -> None:
    """Fill a network from a file of weights (of the whole network or of its encoder) or from timm's cache.

    The layers that depend on the number of classes stay random where their shape differs.

    Parameters
    ----------
    architecture
        The architecture of the network.
    network
        The network: under ``core`` what the architecture built, under ``mixer`` what precedes it.
    weights
        ``"cached"`` or the path of a safetensors file.

    Raises
    ------
    InputError
        If the weights are not there or do not fit.
    """
    core = network.get_submodule("core")
    if weights == "cached":
        cached = architecture.cached_encoder()
        if cached is None:
            raise InputError(
                f"the local cache holds no pretrained weights for {architecture.architecture_name} "
                f"{architecture.model_dump()}; let timm fetch them where there is a network, give a .safetensors file, "
                "or set weights='random'"
            )
        architecture.load_encoder(core, cached)
        return
    file = Path(weights)
    tensors = read_tensors(file)
    for part, prefix in ((network, "core."), (core, "")):
        heads = tuple(prefix + name for name in architecture.head)
        if set(_wanted(part, heads)) <= set(tensors):
            fill(part, tensors, file, besides=heads)
            return
    architecture.load_encoder(core, file)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more tensors" if len(names) > 3 else "")
