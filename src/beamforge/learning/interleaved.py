"""Several sources of labelled images as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beamforge.errors import InputError
from beamforge.learning.data import LabelledImages
from beamforge.simulation.sample import Sample


class Interleaved(LabelledImages):
    """Endless data that takes one image of each source in turn: item ``i`` is item ``i // n`` of source ``i % n``.

    A source named twice is taken twice as often; finite sources are gone through again and again.

    Parameters
    ----------
    sources
        Data of the same classes and channels.

    Raises
    ------
    InputError
        If there is no source, or they do not go together.
    """

    endless = True

    def __init__(self, sources: Sequence[LabelledImages]) -> None:
        if not sources:
            raise InputError("no labelled images to take in turn")
        first = sources[0]
        for other in sources[1:]:
            if other.classes.names != first.classes.names or len(other.channels) != len(first.channels):
                raise InputError(
                    f"images of the classes {list(other.classes.names)} in {len(other.channels)} channels do not go "
                    f"together with those of {list(first.classes.names)} in {len(first.channels)}"
                )
        super().__init__(first.classes, first.channels, sum(len(source) for source in sources))
        self.sources = tuple(sources)

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Take the item of the source whose turn it is."""
        sample = self.make_sample(index)
        return sample.image, sample.labels

    def make_sample(self, index: int) -> Sample:
        """Take it, with what was drawn."""
        source = self.sources[index % len(self.sources)]
        place = index // len(self.sources)
        return source.make_sample(place if source.endless else place % len(source))
