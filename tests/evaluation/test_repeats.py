import pytest
from numpy.random import default_rng
from pydantic import ValidationError

from beamforge.errors import InputError
from beamforge.evaluation import Repeats, agresti_coull, collect_repeats, compare_paired, t_interval

ERRORS = Repeats(
    figure="error", seeds=(0, 1, 2, 3), rows={"real": (0.30, 0.26, 0.28, 0.24), "mixed": (0.2, 0.22, 0.16, 0.18)},
    trials=50,
)  # fmt: skip


def test_summary() -> None:
    found = ERRORS.summary("real")
    assert found.count == 4
    assert found.mean == pytest.approx(0.27)
    assert found.sd == pytest.approx(0.0258198890)
    # t of 3 degrees of freedom at 99.5 % is 5.8409.
    assert found.t_interval == pytest.approx((0.27 - 5.8409 * 0.01290994, 0.27 + 5.8409 * 0.01290994), abs=1e-5)
    assert found.interval == found.t_interval
    assert found.proportion_interval == agresti_coull(0.27 * 50, 50, 0.99)


def test_more_repeats_do_not_narrow_the_interval_over_judged_items() -> None:
    many = Repeats(figure="error", seeds=tuple(range(100)), rows={"real": (0.25, 0.29) * 50}, trials=50)
    assert many.summary("real").proportion_interval == pytest.approx(ERRORS.summary("real").proportion_interval)
    low, high = t_interval(many.rows["real"]) or (0, 1)
    assert high - low < 0.02


def test_comparison_is_seed_by_seed() -> None:
    found = ERRORS.compare("real", "mixed")
    expected = compare_paired(
        ERRORS.rows["real"], ERRORS.rows["mixed"], names=("real", "mixed"), bootstrap=ERRORS.bootstrap
    )
    assert found == expected
    assert ERRORS.comparisons() == [expected]
    assert found.difference == pytest.approx(0.08)


def test_markdown_names_level_and_items() -> None:
    text = ERRORS.markdown()
    assert "99 % t" in text
    assert "Agresti–Coull, 50 items" in text
    assert "| real − mixed | +0.0800 |" in text


def test_a_single_repeat_has_a_mean_only() -> None:
    alone = Repeats(figure="Dice", seeds=(0,), rows={"network": (0.9,)})
    assert alone.markdown().splitlines()[-1] == "| network | 0.9000 | – | – | – |"
    assert alone.table()[0]["mean"] == 0.9


def test_json_round_trip() -> None:
    assert Repeats.model_validate_json(ERRORS.model_dump_json()) == ERRORS


def test_unknown_row() -> None:
    with pytest.raises(InputError, match="did you mean 'mixed'"):
        ERRORS.compare("real", "mixd")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": (0, 1, 2)}, "4 values for 3 seeds"),
        ({"seeds": (0, 1, 2, 2)}, "the same run"),
        ({"rows": {"real": (1.2, 0.1, 0.1, 0.1)}}, "no proportions"),
        ({"rows": {"real": (float("nan"), 0.1, 0.1, 0.1)}}, "finite"),
    ],
)
def test_unfit_repeats_are_refused(changes, message) -> None:
    with pytest.raises(ValidationError, match=message):
        Repeats.model_validate(ERRORS.model_dump() | changes)


def test_collect_sorts_by_figure() -> None:
    rng = default_rng(0)
    runs = {
        seed: {row: {"Dice": rng.uniform(), "error": rng.uniform()} for row in ("network", "baseline")}
        for seed in (4, 5, 6)
    }
    dice, error = collect_repeats(runs, trials={"error": 20})
    assert (dice.figure, error.figure) == ("Dice", "error")
    assert dice.seeds == (4, 5, 6)
    assert dice.rows["baseline"] == tuple(runs[seed]["baseline"]["Dice"] for seed in (4, 5, 6))
    assert (dice.trials, error.trials) == (None, 20)


def test_collect_refuses_runs_of_different_rows() -> None:
    with pytest.raises(InputError, match="the run with seed 1"):
        collect_repeats({0: {"network": {"Dice": 0.5}}, 1: {"other": {"Dice": 0.5}}})
    with pytest.raises(InputError, match="no run"):
        collect_repeats({})
