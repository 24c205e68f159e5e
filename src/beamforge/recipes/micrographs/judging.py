"""Judging the rows of a recipe for micrographs, and segmenting pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from beamforge.evaluation import Bootstrap, predict_probability
from beamforge.evaluation.grains import Grains, GrainSizes, flooded_grains
from beamforge.evaluation.micrographs import BOUNDARY, MicrographScores
from beamforge.io import save_labels
from beamforge.predictor import Predictor
from beamforge.recipes.micrographs.pictures import CLASSES, Picture
from beamforge.stack import as_labels, as_stack

if TYPE_CHECKING:
    from beamforge.recipes.kinds.micrographs import MicrographRecipe

_PARTS = ("labels", "grains")
"""Ends of the names of what is written for a picture."""
_SHOWN = 4
"""Pictures that the report shows predictions of, each of another micrograph as far as there are."""


@dataclass(frozen=True)
class Found:
    """What a predictor finds in a picture.

    Attributes
    ----------
    labels
        uint8 (y, x), 1 where a boundary is more probable than not.
    grains
        Numbers (y, x); where a boundary breaks off they part all the same.
    """

    labels: NDArray[np.uint8]
    grains: Grains

    @classmethod
    def by(cls, predictor: Predictor, picture: Picture) -> Self:
        """Predict a picture."""
        stack = as_stack(picture.image, list(predictor.channels))
        probability = predict_probability(predictor, stack, BOUNDARY)
        return cls((probability > 0.5).astype(np.uint8), flooded_grains(probability))

    @classmethod
    def read(cls, folder: Path, picture: Picture) -> Self:
        """Read what `segment_picture` wrote."""
        import tifffile

        labels, grains = (tifffile.imread(folder / f"{Path(picture.name).stem}_{part}.tif") for part in _PARTS)
        return cls(labels, grains)

    @property
    def seams(self) -> NDArray[np.bool_]:
        """Where grains of different numbers meet (y, x)."""
        from skimage.segmentation import find_boundaries

        return np.asarray(find_boundaries(self.grains, mode="inner"), bool)


def judge_rows(
    predictors: Mapping[str, Predictor], pictures: Sequence[Picture], recipe: MicrographRecipe, folder: Path
) -> dict[str, Any]:
    """Score every row, JSON-able by its name, and keep some predictions in a folder."""
    found = {row: [Found.by(one, picture) for picture in pictures] for row, one in predictors.items()}
    shown = _of_different_groups(pictures)
    folder.mkdir()
    for number in shown:
        arrays = {str(place): row[number].labels for place, row in enumerate(found.values())}
        np.savez(folder / f"{number}.npz", allow_pickle=False, **arrays)
    truths = [picture.labels for picture in pictures if picture.labels is not None]
    groups = [picture.group for picture in pictures]
    bootstrap = Bootstrap(resamples=recipe.bootstrap, seed=recipe.seed)
    return {
        row: MicrographScores.of(
            [(one.labels, truth) for one, truth in zip(each, truths, strict=True)],
            groups,
            tolerance=recipe.tolerance,
            bootstrap=bootstrap,
            grains=[one.grains for one in each],
        ).model_dump(mode="json")
        for row, each in found.items()
    }


def segment_picture(predictor: Predictor, picture: Picture, folder: Path, origin: dict[str, Any]) -> dict[str, Any]:
    """Write the labels of a picture and its grains by number; give the sizes of its grains."""
    import tifffile

    found = Found.by(predictor, picture)
    stem = Path(picture.name).stem
    save_labels(folder / f"{stem}_labels.tif", as_labels(found.labels, CLASSES), provenance=origin)
    tifffile.imwrite(folder / f"{stem}_grains.tif", found.grains, compression="zlib")
    sizes = GrainSizes.of(found.grains, found.labels == BOUNDARY)
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
