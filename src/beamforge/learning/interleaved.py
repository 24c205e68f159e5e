"""Several sources of labelled images as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beamforge.errors import InputError
from beamforge.learning.data import LabelledImages
from beamforge.simulation.sample import Sample


class Interleaved(LabelledImages):
    """Endless data that takes one image of each source in turn.

    A source named twice is taken twice as often, a new item every time; a finite one is gone through again and again.

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
        # How many items of its source every turn is behind the first of the round, and how many a round takes of it.
        self._earlier = [sum(other is source for other in sources[:turn]) for turn, source in enumerate(sources)]
        self._each_round = [sum(other is source for other in sources) for source in sources]

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Take the item of the source whose turn it is."""
        sample = self.make_sample(index)
        return sample.image, sample.labels

    def make_sample(self, index: int) -> Sample:
        """Take it, with what was drawn."""
        rounds, turn = divmod(index, len(self.sources))
        source = self.sources[turn]
        place = rounds * self._each_round[turn] + self._earlier[turn]
        return source.make_sample(place if source.endless else place % len(source))
