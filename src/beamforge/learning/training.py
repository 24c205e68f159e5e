"""Training: the same weights for any number of workers, and after any number of interruptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beamforge.errors import InputError, one_of
from beamforge.files import sha256
from beamforge.learning.checkpoint import Progress, load_checkpoint
from beamforge.learning.classifier import Classifier
from beamforge.learning.config import NetworkConfig, TrainingConfig
from beamforge.learning.course import Course
from beamforge.learning.plan import LabelledTiles
from beamforge.learning.preparation import fit_scaling, prepare_trainer
from beamforge.learning.runtime import create_accelerator, own_random_state, torch_threads
from beamforge.learning.scaling import Scaling
from beamforge.learning.segmenter import Segmenter
from beamforge.learning.task import CLASSIFY, SEGMENT, M, Task
from beamforge.provenance import provenance
from beamforge.stack import Classes

_TILES_FOR_CONTEXT = 2


def train(
    network: NetworkConfig,
    training: TrainingConfig,
    data: LabelledTiles,
    validation: Mapping[str, LabelledTiles] | LabelledTiles,
    out: str | Path,
    *,
    simulated: bool,
    scaling: Scaling | None = None,
    inputs: Iterable[str | Path] = (),
    origin: Mapping[str, Any] | None = None,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> Segmenter:
    """Train a network, or go on with a training that was interrupted.

    Parameters
    ----------
    network, training
        Settings.
    data
        What to train on.
    validation
        What to validate with after every epoch, by name; a single one is called ``"validation"``. Where it is
        simulated like the training data, it must have another seed.
    out
        Folder of the training: ``events.jsonl`` (a line per epoch), ``checkpoint.safetensors``, ``best.safetensors``,
        and at the end ``model/``. If a checkpoint is there, the training goes on from it, on the CPU to bitwise the
        same weights as without interruption; a finished training is only read.
    simulated
        Whether the training data is simulated, for the model's provenance.
    scaling
        Scaling of the channels; by default fitted to some samples of `data`.
    inputs
        Files or folders the data was made from; they are hashed for the model's provenance, and a training goes on
        only while they are the same.
    origin
        What else is known about where the data comes from, JSON-able, for the model's provenance.
    on_epoch
        Called with every line that is written to ``events.jsonl``.

    Returns
    -------
    The segmenter, also saved in ``out/model``.

    Raises
    ------
    InputError
        If data and validation do not go together, or `out` holds a training of other settings.
    BeamforgeError
        If the loss becomes infinite or NaN.
    """
    known = _Known(simulated, scaling, tuple(inputs), dict(origin or {}))
    return _train(SEGMENT, network, training, data, validation, Path(out), known, on_epoch)


def train_classifier(
    network: NetworkConfig,
    training: TrainingConfig,
    data: LabelledTiles,
    validation: Mapping[str, LabelledTiles] | LabelledTiles,
    out: str | Path,
    *,
    simulated: bool,
    scaling: Scaling | None = None,
    inputs: Iterable[str | Path] = (),
    origin: Mapping[str, Any] | None = None,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> Classifier:
    """Train a network that gives every tile a class; all else is as in `train`.

    Parameters
    ----------
    network
        Of the architecture ``"classifier"`` or another one for classification.
    data, validation
        Tiles whose labels are an image of a single pixel, the class of the tile, such as `TileClasses`. In the log
        ``"dice"`` is the mean over the classes of the F1 score and ``"error"`` the share of wrong tiles.
    training, out, simulated, scaling, inputs, origin, on_epoch
        As in `train`.

    Returns
    -------
    The classifier, also saved in ``out/model``.

    Raises
    ------
    InputError
        If data and validation do not go together, the data has no tile classes, or `out` holds a training of other
        settings.
    BeamforgeError
        If the loss becomes infinite or NaN.
    """
    known = _Known(simulated, scaling, tuple(inputs), dict(origin or {}))
    return _train(CLASSIFY, network, training, data, validation, Path(out), known, on_epoch)


@dataclass(frozen=True)
class _Known:
    """What the caller knows about the training data."""

    simulated: bool
    scaling: Scaling | None
    inputs: tuple[str | Path, ...]
    origin: dict[str, Any]


def _train(
    task: Task[M],
    network: NetworkConfig,
    training: TrainingConfig,
    data: LabelledTiles,
    validation: Mapping[str, LabelledTiles] | LabelledTiles,
    out: Path,
    known: _Known,
    on_epoch: Callable[[dict[str, Any]], None] | None,
) -> M:
    task.check_network(network)
    sets = dict(validation) if isinstance(validation, Mapping) else {"validation": validation}
    _check_data(training, data, sets)
    course = Course.of(training, len(data), data.endless)
    hashes = {str(path): sha256(path) for path in known.inputs}
    settings = _settings(network, training, data, hashes)
    progress, tensors = _start_or_resume(out, settings, training, data, known.scaling)
    finished = progress.step == course.total_steps
    if finished and (out / "model" / "model.json").is_file():
        return task.model.load(out / "model", training.device)
    task.check_labels(data)
    accelerator = create_accelerator(training.device)
    if accelerator.is_main_process:
        _remove_unfinished(out)
    with torch_threads(training.threads), own_random_state(accelerator.device):
        trainer = prepare_trainer(task, network, training, data, progress, out, accelerator)
        if tensors:
            trainer.restore(tensors)
        trainer.run(data, sets, on_epoch)
        trained = trainer.result()
        images = [data[number][0] for number in range(min(_TILES_FOR_CONTEXT, len(data)))]
        facts = {
            "network": network,
            "channels": data.channels,
            "classes": data.classes,
            "scaling": progress.scaling,
            "tile": min(images[0].shape[-2:]),
            "provenance": provenance(simulated=known.simulated, seed=training.seed, recipe=settings, **known.origin)
            | {"inputs": hashes},
        }
        description = task.describe(facts, lambda: trainer.context_radius(trained, images))
    model = task.model(trained, description, training.device)
    if accelerator.is_main_process:
        model.save(out / "model")
    accelerator.wait_for_everyone()
    return model


def _remove_unfinished(out: Path) -> None:
    """Remove temporary files of a process that was killed while it wrote."""
    for file in out.glob(".*.partial*"):
        if file.is_file():
            file.unlink()


def _check_data(training: TrainingConfig, data: LabelledTiles, validation: Mapping[str, LabelledTiles]) -> None:
    if not validation and training.keep == "best":
        raise InputError("no validation data is given to find the best epoch; give some or set keep to 'last'")
    if training.monitor is not None and training.monitor not in validation:
        raise one_of("validation data", training.monitor, validation)
    for name, tiles in validation.items():
        if _names(tiles.classes) != _names(data.classes):
            raise InputError(
                f"the validation data {name!r} has the classes {_names(tiles.classes)}, the training data "
                f"{_names(data.classes)}; they must be the same, in the same order"
            )
        if len(tiles.channels) != len(data.channels):
            raise InputError(
                f"the validation data {name!r} has {len(tiles.channels)} channels, the training data "
                f"{len(data.channels)}"
            )


def _names(classes: Classes) -> list[str]:
    return list(classes.names)


def _settings(
    network: NetworkConfig, training: TrainingConfig, data: LabelledTiles, hashes: Mapping[str, str]
) -> dict[str, Any]:
    """Collect what the weights depend on; a training goes on only under the same."""
    return {
        "network": network.what_decides(),
        "training": training.what_decides(),
        "data": {
            "channels": [channel.label for channel in data.channels],
            "classes": _names(data.classes),
            "length": len(data),
            "endless": data.endless,
            "inputs": sorted(hashes.values()),
        },
    }


def _start_or_resume(
    out: Path, settings: dict[str, Any], training: TrainingConfig, data: LabelledTiles, scaling: Scaling | None
) -> tuple[Progress, dict[str, Any]]:
    file = out / "checkpoint.safetensors"
    if file.is_file():
        progress, tensors = load_checkpoint(file)
        changed = _differences(progress.settings, settings)
        if changed:
            raise InputError(
                f"{out} holds a training of other settings ({'; '.join(changed[:4])}); take another folder or set them "
                "back"
            )
        return progress, tensors
    if scaling is None:
        scaling = fit_scaling(training, data)
    return Progress(settings=settings, scaling=scaling), {}


def _differences(before: Any, now: Any, place: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted({*before, *now})
        return [text for key in keys for text in _differences(before.get(key), now.get(key), f"{place}.{key}")]
    return [] if before == now else [f"{place.removeprefix('.')} was {before!r}, now {now!r}"]
