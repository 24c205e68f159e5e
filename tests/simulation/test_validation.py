import json

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation.validation import RefitDifferences, validate
from beamforge.stack import as_labels, as_stack
from beamforge.statistics import IntensityModel


def model(marginal: str = "johnson", correlation: str = "none") -> IntensityModel:
    rng = default_rng(0)
    labels = np.repeat([0, 1], 60)[:, None] * np.ones((1, 120), int)
    z = rng.normal(size=(2, 120, 120))
    z[1] = 0.6 * z[0] + 0.8 * z[1]
    image = np.sinh(z / 1.8 + 0.3).astype(np.float32) + 4 * labels
    return IntensityModel.fit(as_stack(image), as_labels(labels), marginal=marginal, correlation=correlation)


@pytest.mark.parametrize("marginal", ["johnson", "empirical"])
@pytest.mark.parametrize("correlation", ["none", "both"])
def test_a_simulation_is_like_its_model(marginal: str, correlation: str) -> None:
    differences = validate(model(marginal, correlation), default_rng(1))
    assert differences.w1.shape == differences.ks.shape == (2, 2)
    assert (differences.pixels >= 20_000).all()
    assert (differences.ks < 0.02).all()
    assert (differences.w1 < 0.03).all()
    assert (np.abs(differences.quantiles) < 0.12).all()
    assert (np.abs(differences.lag_correlation) < 0.03).all()
    assert (differences.channel_correlation < 0.03).all()
    if marginal == "johnson":
        assert np.array(differences.same_family).all()
        assert (np.abs(differences.delta_eta) < 0.1).all()
    else:
        assert np.isnan(differences.delta_gamma).all()


def test_a_worse_law_is_told_from_a_better_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from beamforge.simulation.intensities import johnson_field

    original = model()
    exact = johnson_field.value_tables
    sd = original.marginals.quantile(np.linspace(0.01, 0.99, 99)).std(axis=-1)
    # A simulator whose values are too high by a fifth of a standard deviation in one class and channel.
    monkeypatch.setattr(
        johnson_field,
        "value_tables",
        lambda marginals: exact(marginals) + np.array([[0, 0], [0, 0.2 * sd[1, 1]]])[:, :, None].astype(np.float32),
    )
    differences = validate(original, default_rng(1))
    assert 0.17 < differences.w1[1, 1] < 0.23
    assert np.sort(differences.w1.ravel())[-2] < 0.03
    np.testing.assert_allclose(differences.quantiles[1, 1, 1:-1], 0.2, atol=0.05)


def test_it_can_be_written_as_json() -> None:
    differences = validate(model("empirical"), default_rng(2), pixels=2000)
    text = json.dumps(differences.model_dump(mode="json"), allow_nan=False)
    again = RefitDifferences.model_validate(json.loads(text))
    np.testing.assert_array_equal(again.w1, differences.w1)
    assert np.isnan(again.delta_gamma).all()
