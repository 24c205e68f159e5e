import matplotlib as mpl
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from beamforge.reporting.style import SERIES, new_figure, styled


def luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@styled
def example() -> Figure:
    figure = new_figure(3, 2)
    figure.subplots().set_title("x")
    return figure


def test_the_callers_settings_neither_matter_nor_change() -> None:
    with mpl.rc_context({"font.size": 31, "axes.titlesize": 40}):
        title = example().axes[0].title
        assert mpl.rcParams["font.size"] == 31
    assert title.get_fontsize() == 10


def test_the_first_two_lines_are_told_apart_by_lightness_alone() -> None:
    light, dark = sorted((luminance(SERIES[0]), luminance(SERIES[1])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) > 1.2
