import pytest

from beamforge.errors import InputError
from beamforge.reporting.figures import Score, score_chart

SCORES = [
    Score("correlated", 0.961, (0.955, 0.966)),
    Score("maximum likelihood", 0.908, (0.9, 0.915), "baseline"),
    Score("Sathe et al. 2024", 0.8572, kind="published"),
]


def test_dots_intervals_and_figures() -> None:
    figure = score_chart(SCORES, "Dice on measured tiles", limits=(0.8, 1.0))
    (axes,) = figure.axes
    dots = [line for line in axes.lines if len(line.get_xdata()) == 1]
    whiskers = [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert [dot.get_xdata()[0] for dot in dots] == [0.961, 0.908, 0.8572]
    assert len({dot.get_marker() for dot in dots}) == 3
    assert whiskers == [[0.955, 0.966], [0.9, 0.915]]
    assert [text.get_text() for text in axes.texts] == ["0.961 [0.955, 0.966]", "0.908 [0.900, 0.915]", "0.8572"]
    assert [text.get_text() for text in axes.get_yticklabels()] == [score.name for score in SCORES]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert axes.get_xlabel() == "Dice on measured tiles"
    assert axes.get_xlim() == (0.8, 1.0)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["trained network", "without a network", "published figure"]


def test_one_kind_needs_no_legend() -> None:
    assert not score_chart(SCORES[:1], "Dice").legends


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(InputError, match="Dice"):
        score_chart([], "Dice")
