import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation.hardness import Hardness, find_hardness

COUNT = 240


def samples(noise: float = 0.03, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Scores that fall by 0.4 over the range of the noise and by 0.1 over that of the blur, and know no colour."""
    rng = default_rng(seed)
    columns = {name: rng.uniform(0, 1, COUNT) for name in ("gain.colour", "detector.noise", "blur.sigma")}
    scores = 0.9 - 0.4 * columns["detector.noise"] - 0.1 * columns["blur.sigma"] + rng.normal(0, noise, COUNT)
    return scores, columns


@pytest.fixture(scope="module")
def found() -> Hardness:
    return find_hardness(*samples())


def test_the_parameter_that_decides_comes_first(found) -> None:
    assert [one.name for one in found.parameters] == ["detector.noise", "blur.sigma", "gain.colour"]
    assert [one.name for one in found.telling()] == ["detector.noise", "blur.sigma"]
    # The variances of the two uniform terms and of the noise.
    total = 0.16 / 12 + 0.01 / 12 + 0.03**2
    assert found.explained == pytest.approx(1 - 0.03**2 / total, abs=0.04)


def test_partial_dependence_follows_the_known_line(found) -> None:
    noise = found.parameters[0]
    inner = (noise.grid > 0.1) & (noise.grid < 0.9)
    slope = np.polyfit(noise.grid[inner], noise.dependence[inner], 1)[0]
    assert slope == pytest.approx(-0.4, abs=0.06)
    assert noise.hardest > 0.85
    assert noise.easiest < 0.15
    assert noise.span == pytest.approx(0.4, abs=0.06)


def test_bins_hold_the_means_with_their_intervals(found) -> None:
    scores, columns = samples()
    noise = found.parameters[0]
    first = scores[columns["detector.noise"] < noise.edges[1]]
    assert noise.means[0] == pytest.approx(first.mean(), rel=1e-12)
    assert (noise.low < noise.means).all()
    assert (noise.means < noise.high).all()
    assert len(noise.means) == len(noise.edges) - 1


def test_parameters_that_decide_nothing_explain_nothing() -> None:
    _, columns = samples()
    luck = find_hardness(default_rng(5).normal(0.7, 0.1, COUNT), columns)
    assert luck.explained < 0.05
    assert all(one.importance < 0.05 for one in luck.parameters)


def test_an_effect_that_rests_on_another_is_told_apart() -> None:
    # Dose decides; the exposure only goes along with it.
    rng = default_rng(2)
    dose = rng.uniform(0, 1, COUNT)
    exposure = dose + rng.normal(0, 0.25, COUNT)
    found = find_hardness(0.5 + 0.4 * dose, {"exposure": exposure, "dose": dose})
    assert found.parameters[0].name == "dose"
    assert np.ptp(found.parameters[1].means) > 0.15
    assert found.parameters[1].span < 0.15


def test_yes_and_no_have_a_bin_each() -> None:
    rng = default_rng(3)
    inverted = rng.random(COUNT) < 0.1
    scores = 0.9 - 0.3 * inverted + rng.normal(0, 0.02, COUNT)
    found = find_hardness(scores, {"stain.inverted": inverted, "blur.sigma": rng.uniform(0, 1, COUNT)})
    first = found.parameters[0]
    assert first.name == "stain.inverted"
    np.testing.assert_allclose(first.edges, [-0.5, 0.5, 1.5])
    np.testing.assert_allclose(first.means, [scores[~inverted].mean(), scores[inverted].mean()], rtol=1e-12)
    assert first.hardest == 1.0


def test_samples_without_a_score_and_constants_are_left_out() -> None:
    scores, columns = samples()
    scores[:7] = np.nan
    found = find_hardness(scores, {**columns, "fixed": np.ones(COUNT)})
    assert found.samples == COUNT - 7
    assert "fixed" not in {one.name for one in found.parameters}


def test_whole_numbers_have_no_empty_bins() -> None:
    rng = default_rng(3)
    bundles = rng.integers(0, 3, COUNT).astype(float)
    found = find_hardness(0.8 - 0.1 * bundles + rng.normal(0, 0.02, COUNT), {"bundles": bundles})
    assert np.isfinite(found.parameters[0].means).all()
    assert found.parameters[0].hardest == 2.0


def test_equal_scores_depend_on_nothing() -> None:
    found = find_hardness(np.full(COUNT, 0.5), samples()[1])
    assert found.explained == 0.0
    assert not found.telling()


def test_json_round_trip(found) -> None:
    again = Hardness.model_validate_json(found.model_dump_json())
    np.testing.assert_array_equal(again.parameters[0].dependence, found.parameters[0].dependence)


@pytest.mark.parametrize(
    ("scores", "columns", "message"),
    [
        (np.ones(39), {"a": np.arange(39.0)}, "at least 40"),
        (np.ones(60), {"a": np.arange(59.0)}, "59 values of a for 60 scores"),
        (np.ones(60), {"a": np.ones(60)}, "no numeric parameter"),
    ],
)
def test_too_little_to_say_anything_is_refused(scores, columns, message) -> None:
    with pytest.raises(InputError, match=message):
        find_hardness(scores, columns)
