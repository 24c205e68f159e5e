import numpy as np
import pytest
from matplotlib.colors import to_hex

from beamforge.errors import InputError
from beamforge.reporting.figures import cluster_overview, spectra_with_edges
from beamforge.stack import Channel, Classes, as_labels

CLASSES = Classes(names=("cluster 0", "cluster 1"))
CHANNELS = [Channel(mode="T", wavelength=1.0 + 0.1 * i) for i in range(30)]
SPECTRA = np.stack([np.linspace(0, 1, 30), np.linspace(1, 0, 30)])


def test_map_and_spectra_have_the_same_colours() -> None:
    labels = as_labels((np.indices((20, 30)).sum(axis=0) % 2).astype(np.uint8), CLASSES)
    figure = cluster_overview(labels, SPECTRA, CHANNELS, np.corrcoef(SPECTRA), units="transmission")
    picture = next(axes for axes in figure.axes if axes.get_title(loc="left") == "Clusters").images[0].get_array()
    lines = {line.get_label(): line for axes in figure.axes for line in axes.lines}
    for number, name in enumerate(CLASSES.names):
        y, x = np.argwhere(labels.values == number)[0]
        assert to_hex(picture[y, x] / 255) == to_hex(lines[name].get_color()) == CLASSES.colours[number]
        np.testing.assert_array_equal(lines[name].get_ydata(), SPECTRA[number])
    matrix = next(axes for axes in figure.axes if "Correlation" in axes.get_title(loc="left"))
    assert [text.get_text() for text in matrix.texts] == ["1.00", "−1.00", "−1.00", "1.00"]


def test_edges_inside_the_range_are_marked_at_their_wavelengths() -> None:
    axes = spectra_with_edges(SPECTRA, CHANNELS, CLASSES, edges={"110": 2.5, "200": 9.0}).axes[0]
    assert [text.get_text() for text in axes.texts] == ["110"]
    assert axes.lines[-1].get_xdata() == [2.5, 2.5]
    assert axes.get_xlabel() == "wavelength (Å)"
    unnumbered = spectra_with_edges(SPECTRA[:, :3], [Channel(mode="a"), Channel(mode="b"), Channel(mode="c")], CLASSES)
    assert unnumbered.axes[0].get_xlabel() == "channel"


def test_edges_too_close_to_read_share_a_text() -> None:
    edges = {"iron 110": 2.51, "aluminium 200": 2.5, "iron 200": 3.0}
    axes = spectra_with_edges(SPECTRA, CHANNELS, CLASSES, edges=edges).axes[0]
    assert [text.get_text() for text in axes.texts] == ["aluminium 200, iron 110", "iron 200"]
    assert [line.get_xdata()[0] for line in axes.lines[2:]] == [2.5, 2.51, 3.0]


def test_spectra_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(2, 30\), expected \(2, 29\)"):
        spectra_with_edges(SPECTRA, CHANNELS[:-1], CLASSES)
