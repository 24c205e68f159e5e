import pytest

from beamforge.errors import InputError
from beamforge.reporting.figures import training_curves


def events(offset: float):
    yield {"event": "start", "seed": 1}
    for epoch in range(1, 4):
        yield {"epoch": epoch, "training_loss": offset / epoch, "validation_dice": 1 - offset / epoch}
    yield {"epoch": 4, "training_loss": None}


def test_a_colour_for_each_training_and_a_panel_for_each_quantity() -> None:
    figure = training_curves({"synthetic": list(events(0.5)), "measured": list(events(0.9))})
    loss, dice = figure.axes
    assert [axes.get_title(loc="left") for axes in (loss, dice)] == ["loss", "Dice"]
    assert loss.lines[1].get_ydata().tolist() == pytest.approx([0.9, 0.45, 0.3])
    assert dice.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert loss.lines[0].get_color() == dice.lines[0].get_color() != loss.lines[1].get_color()
    assert loss.get_xlabel() == "epoch"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["synthetic", "measured"]


def test_validation_is_dashed_beside_training() -> None:
    run = [{"step": s, "training_loss": 1.0, "validation_loss": 2.0} for s in (0, 10)]
    figure = training_curves({"a": run}, horizontal="step")
    solid, dashed = figure.axes[0].lines
    assert not solid.is_dashed()
    assert dashed.is_dashed()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "training", "validation"]


def test_events_without_any_known_key_are_named() -> None:
    with pytest.raises(InputError, match="accuracy"):
        training_curves({"a": [{"epoch": 1, "accuracy": 0.5}]})
