"""One picture to see at a glance whether a segmentation makes sense."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from beamforge.arrays import Float32
from beamforge.files import atomic_path
from beamforge.segmentation.blending import Block
from beamforge.stack import IGNORE, Classes

_SIDE = 1024
_IGNORED_GREY = 128


class QuickLook:
    """Collects every n-th pixel of one image and its labels while they pass by.

    Parameters
    ----------
    height, width
        Size of the image in px.
    plane
        Which image of a volume is shown.

    Attributes
    ----------
    image, labels
        What was collected, (y, x).
    """

    def __init__(self, height: int, width: int, plane: int = 0) -> None:
        self.plane = plane
        self.every = -(-max(height, width) // _SIDE)
        shape = (-(-height // self.every), -(-width // self.every))
        self.image: Float32 = np.full(shape, np.nan, dtype=np.float32)
        self.labels = np.full(shape, IGNORE, dtype=np.uint8)

    def see(self, block: Block, labels: np.ndarray) -> None:
        """Take what is needed of a block; the first channel is shown."""
        if block.plane != self.plane:
            return
        first = [-place.start % self.every for place in (block.rows, block.columns)]
        inside = tuple(slice(start, None, self.every) for start in first)
        sampled = labels[inside]
        top, left = (
            (place.start + start) // self.every for place, start in zip((block.rows, block.columns), first, strict=True)
        )
        here = (slice(top, top + sampled.shape[0]), slice(left, left + sampled.shape[1]))
        self.labels[here] = sampled
        self.image[here] = block.image[0][inside]

    def save(self, path: Path, classes: Classes, title: str, shares: dict[str, float]) -> None:
        """Draw image and coloured labels side by side, with a legend of the classes and their shares.

        Parameters
        ----------
        path
            The PNG file.
        classes
            Names and colours.
        title
            Stands above the image.
        shares
            Fraction of all pixels by class name.
        """
        # Half a second to import, and only those who draw need it.
        from matplotlib.figure import Figure
        from matplotlib.patches import Patch

        rows, columns = self.labels.shape
        width = 5.0 * np.clip(columns / rows, 0.4, 2.5)
        figure = Figure(figsize=(2 * width + 2.6, 5.4), dpi=110, layout="constrained")
        left, right = figure.subplots(1, 2)
        seen = self.image[np.isfinite(self.image)]
        low, high = np.percentile(seen, [0.5, 99.5]) if seen.size else (0.0, 1.0)
        shown = np.ma.masked_invalid(self.image)
        drawn = left.imshow(shown, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        figure.colorbar(drawn, ax=left, shrink=0.7)
        left.set_title(title, fontsize=10)
        right.imshow(self._coloured(classes), interpolation="nearest")
        right.set_title("labels", fontsize=10)
        for axes in (left, right):
            axes.set_axis_off()
        handles = [
            Patch(facecolor=colour, label=f"{name}  {100 * shares.get(name, 0.0):.1f} %")
            for name, colour in zip(classes.names, classes.colours, strict=True)
            if len(classes) <= 20 or shares.get(name, 0.0) > 0
        ]
        if (self.labels == IGNORE).any():
            handles.append(Patch(facecolor=(_IGNORED_GREY / 255,) * 3, label="ignored"))
        right.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png")

    def _coloured(self, classes: Classes) -> np.ndarray:
        colours = np.full((256, 3), _IGNORED_GREY, dtype=np.uint8)
        colours[: len(classes)] = classes.rgb
        return colours[self.labels]
