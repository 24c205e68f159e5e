"""Judging the rows of a recipe for micrographs, and segmenting pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from beamforge.evaluation import Bootstrap, predict_image
from beamforge.evaluation.grains import GrainSizes, grains_between
from beamforge.evaluation.micrographs import BOUNDARY, MicrographScores
from beamforge.io import save_labels
from beamforge.predictor import Predictor
from beamforge.recipes.micrographs.pictures import CLASSES, Picture
from beamforge.stack import as_labels, as_stack

if TYPE_CHECKING:
    from beamforge.recipes.kinds.micrographs import MicrographRecipe

_SHOWN = 4
"""Pictures that the report shows predictions of, each of another micrograph as far as there are."""


def judge_rows(
    predictors: Mapping[str, Predictor], pictures: Sequence[Picture], recipe: MicrographRecipe, folder: Path
) -> dict[str, Any]:
    """Score every row, JSON-able by its name, and keep some predictions in a folder."""
    found = {row: [predicted(one, picture) for picture in pictures] for row, one in predictors.items()}
    shown = _of_different_groups(pictures)
    folder.mkdir()
    for number in shown:
        arrays = {str(place): labels[number] for place, labels in enumerate(found.values())}
        np.savez(folder / f"{number}.npz", allow_pickle=False, **arrays)
    truths = [picture.labels for picture in pictures if picture.labels is not None]
    groups = [picture.group for picture in pictures]
    bootstrap = Bootstrap(resamples=recipe.bootstrap, seed=recipe.seed)
    return {
        row: MicrographScores.of(
            list(zip(labels, truths, strict=True)), groups, tolerance=recipe.tolerance, bootstrap=bootstrap
        ).model_dump(mode="json")
        for row, labels in found.items()
    }


def predicted(predictor: Predictor, picture: Picture) -> NDArray[np.uint8]:
    """Give the labels (y, x) of a picture."""
    return predict_image(predictor, as_stack(picture.image, list(predictor.channels)))


def segment_picture(predictor: Predictor, picture: Picture, folder: Path, origin: dict[str, Any]) -> dict[str, Any]:
    """Write the labels of a picture and its grains by number; give the sizes of its grains."""
    import tifffile

    labels = predicted(predictor, picture)
    stem = Path(picture.name).stem
    save_labels(folder / f"{stem}_labels.tif", as_labels(labels, CLASSES), provenance=origin)
    grains = grains_between(labels == BOUNDARY)
    tifffile.imwrite(folder / f"{stem}_grains.tif", grains, compression="zlib")
    sizes = GrainSizes.of(grains)
    diameters = sizes.diameters
    return {
        "grains": sizes.count,
        "mean_area_px": sizes.mean_area,
        "mean_intercept_px": sizes.intercept if np.isfinite(sizes.intercept) else None,
        "median_diameter_px": float(np.median(diameters)) if len(diameters) else None,
    }


def _of_different_groups(pictures: Sequence[Picture]) -> list[int]:
    first = {picture.group: number for number, picture in reversed(list(enumerate(pictures)))}
    return sorted(first.values())[:_SHOWN]
