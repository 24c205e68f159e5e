import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.evaluation.volume_results import mesh
from beamforge.reporting.figures import particle_distributions, volume_rendering
from beamforge.stack import Classes

CLASSES = Classes(names=("matrix", "precipitate", "inclusion"))


def test_every_class_is_drawn_in_its_colour_in_a_box_of_the_volume() -> None:
    labels = np.zeros((10, 12, 16), np.uint8)
    labels[2:6, 2:6, 2:6], labels[6:9, 7:11, 8:14] = 1, 2
    meshes = {number: mesh(labels == number) for number in (1, 2)}
    figure = volume_rendering(meshes, labels.shape, CLASSES, voxel=0.5, unit="µm")
    (axes,) = figure.axes
    assert len(axes.collections) == 2
    assert (axes.get_xlim(), axes.get_zlim()) == ((0, 8), (0, 5))
    assert axes.get_xlabel() == "x (µm)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["precipitate", "inclusion"]


def test_sizes_are_counted_and_summed_by_volume() -> None:
    figure = particle_distributions({"a": [1.0, 2.0], "b": []}, {"a": "#ff0000", "b": "#00ff00"}, "µm")
    right = figure.axes[1]
    assert right.lines[0].get_ydata()[0] == pytest.approx(1 / 9)
    assert right.get_xscale() == "log"
    with pytest.raises(InputError, match="no particle"):
        particle_distributions({"a": []}, {"a": "#ff0000"}, "µm")
