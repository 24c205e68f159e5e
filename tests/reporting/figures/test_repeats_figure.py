import pytest

from beamforge.errors import InputError
from beamforge.evaluation import Repeats
from beamforge.reporting.figures import repeats_chart

STUDY = Repeats(figure="mean IoU", seeds=(0, 1, 2), rows={"random": (0.70, 0.72, 0.71), "adaptive": (0.74, 0.75, 0.76)})


def test_runs_pairs_means_and_intervals() -> None:
    (axes,) = repeats_chart(STUDY, published={"adaptive": 0.778}).axes
    lines = [(tuple(line.get_xdata()), line.get_marker()) for line in axes.lines]
    pairs = [xs for xs, marker in lines if len(xs) == 2 and marker == "None"]
    assert [pair for pair in pairs if pair in {(0.70, 0.74), (0.72, 0.75), (0.71, 0.76)}] == pairs[:3]
    assert pairs[3:] == [STUDY.summary(row).interval for row in STUDY.rows]
    assert [xs for xs, marker in lines if marker == "o"] == list(STUDY.rows.values())
    assert [xs[0] for xs, marker in lines if marker == "D"] == pytest.approx([0.71, 0.75])
    assert [xs for xs, marker in lines if marker == "s"] == [(0.778,)]
    assert axes.get_xlabel() == "mean IoU"


def test_a_single_run_has_no_interval() -> None:
    (axes,) = repeats_chart(Repeats(figure="Dice", seeds=(3,), rows={"network": (0.9,)})).axes
    assert [text.get_text() for text in axes.texts] == ["0.9"]


def test_published_figures_need_a_row() -> None:
    with pytest.raises(InputError, match="paper"):
        repeats_chart(STUDY, published={"paper": 0.5})
