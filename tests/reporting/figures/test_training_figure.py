import pytest

from beamforge.errors import InputError
from beamforge.reporting.figures import training_curves


def events(scale: float, validation: tuple[str, ...] = ("synthetic", "measured")) -> list[dict]:
    run = [{"event": "start", "seed": 1}]
    for epoch in range(1, 4):
        results = {name: {"loss": 2 * scale / epoch, "dice": 1 - scale / epoch, "miou": 0.5} for name in validation}
        run.append({"epoch": epoch, "train_loss": scale / epoch, "validation": results, "best": epoch == 2})
    return run


def test_a_colour_for_each_training_and_a_line_style_for_each_data_set() -> None:
    figure = training_curves({"correlated": events(0.5), "i.i.d.": events(0.9)})
    loss, dice = figure.axes
    assert [axes.get_title(loc="left") for axes in (loss, dice)] == ["loss", "Dice"]
    assert loss.get_xlabel() == "epoch"
    drawn = {(line.get_color(), line.get_linestyle()): list(line.get_ydata()) for line in loss.lines}
    first, second = dict.fromkeys(colour for colour, _ in drawn)
    assert drawn[first, "-"] == pytest.approx([0.5, 0.25, 0.5 / 3])
    assert drawn[second, "--"] == drawn[second, ":"] == pytest.approx([1.8, 0.9, 0.6])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "correlated",
        "i.i.d.",
        "training data",
        "validation: synthetic",
        "validation: measured",
    ]


def test_a_ring_marks_the_epoch_that_was_kept() -> None:
    dice = training_curves({"a": events(0.5)}).axes[1]
    (ring,) = [line for line in dice.lines if line.get_marker() == "o"]
    assert ring.get_xydata().tolist() == [[2.0, 0.75]]


def test_one_huge_loss_does_not_hide_the_others() -> None:
    assert training_curves({"a": events(0.5)}).axes[0].get_yscale() == "linear"
    run = events(0.5)
    run[1]["validation"]["measured"]["loss"] = 45.0
    assert training_curves({"a": run}).axes[0].get_yscale() == "log"


def test_a_training_without_validation_has_its_loss_alone() -> None:
    figure = training_curves({"a": events(0.5, validation=())})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss"]


def test_scores_can_be_chosen() -> None:
    figure = training_curves({"a": events(0.5)}, scores={"dice": "Dice", "miou": "mean IoU"})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "Dice", "mean IoU"]
    with pytest.raises(InputError, match=r"accuracy.*dice"):
        training_curves({"a": events(0.5)}, scores={"accuracy": "accuracy"})


def test_nothing_finished_is_said() -> None:
    with pytest.raises(InputError, match="finished an epoch"):
        training_curves({"a": [{"event": "start"}]})
