import json

import numpy as np
import pytest
import xarray as xr
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.stack import as_labels, as_stack
from beamforge.statistics import IntensityModel
from beamforge.statistics.johnson import Family, Johnson


def measurement() -> tuple[xr.DataArray, xr.DataArray]:
    """Three classes in stripes, two channels, SU and SB values."""
    rng = default_rng(0)
    curves = Johnson.of(
        [[Family.SU, Family.SB]] * 3, 0.4, [[2.0, 1.2]] * 3, [[100.0, 5.0], [200.0, 9.0], [300.0, 13.0]], [[10.0, 4.0]]
    )
    labels = np.repeat([0, 1, 2], 40)[:, None] * np.ones((1, 100), int)
    image = np.empty((2, 120, 100))
    for label in range(3):
        image[:, labels == label] = curves[label].from_normal(rng.normal(size=(2, 4000)))
    channels = [{"mode": "H0", "autocorrelation_length": 120.0}, {"mode": "H1", "autocorrelation_length": 120.0}]
    return as_stack(image.astype(np.float32), channels), as_labels(labels, ["air", "water", "quartz"])


@pytest.mark.parametrize("marginal", ["johnson", "empirical"])
@pytest.mark.parametrize("correlation", ["none", "channels", "space", "both"])
def test_round_trip_through_one_file(marginal: str, correlation: str, tmp_path) -> None:
    model = IntensityModel.fit(*measurement(), marginal=marginal, correlation=correlation)
    model.save(tmp_path / "model.json")
    again = IntensityModel.load(tmp_path / "model.json")
    assert again.model_dump_json() == model.model_dump_json()
    assert type(again.marginals) is type(model.marginals)
    p = np.linspace(0, 1, 11)
    np.testing.assert_array_equal(again.marginals.quantile(p), model.marginals.quantile(p))


def test_the_file_can_be_read_by_a_person(tmp_path) -> None:
    model = IntensityModel.fit(*measurement())
    model.save(tmp_path / "model.json")
    text = (tmp_path / "model.json").read_text()
    content = json.loads(text)
    assert content["classes"]["names"] == ["air", "water", "quartz"]
    assert content["marginals"]["family"] == [["SU", "SB"]] * 3
    assert '["SU", "SB"]' in text
    assert max(len(line) for line in text.splitlines()) < 300


def test_what_is_stored() -> None:
    stack, labels = measurement()
    stack[0, 50, :5] = np.nan
    model = IntensityModel.fit(stack, labels, correlation="channels")
    np.testing.assert_array_equal(model.invalid_counts, [[0, 0], [5, 0], [0, 0]])
    np.testing.assert_array_equal(model.pixel_counts, [[4000, 4000], [3995, 4000], [4000, 4000]])
    np.testing.assert_allclose(model.marginals.low[0, 1], stack.values[1][labels.values == 0].min())
    assert model.correlation.channels.shape == (2, 2)
    assert [c.mode for c in model.channels] == ["H0", "H1"]


def test_the_same_measurement_gives_the_same_model() -> None:
    stack, labels = measurement()
    counts = np.rint(stack).astype(np.uint16)
    first, second = (IntensityModel.fit(counts, labels, correlation="both") for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()


def test_fitted_quantiles_are_those_of_the_pixels() -> None:
    stack, labels = measurement()
    p = np.linspace(0.05, 0.95, 25)
    for marginal in ("johnson", "empirical"):
        model = IntensityModel.fit(stack, labels, marginal=marginal)
        for label in range(3):
            pixels = stack.values[:, labels.values == label]
            wanted = np.quantile(pixels, p, axis=1).T
            error = np.abs(model.marginals.quantile(p)[label] - wanted) / pixels.std(axis=1, keepdims=True)
            assert error.max() < 0.08


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"marginal": "jonson"}, "did you mean 'johnson'"),
        ({"correlation": "chanels"}, "did you mean 'channels'"),
        ({"method": "quantile"}, "did you mean 'quantiles'"),
    ],
)
def test_a_misspelt_choice_is_answered_with_the_nearest(option: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        IntensityModel.fit(*measurement(), **option)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ('{"a": 1}', "not an intensity model"), ('{"intensity_model": 1}', "not a valid")],
)
def test_other_files_are_refused(text: str, message: str, tmp_path) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        IntensityModel.load(path)


CRAFTED = {
    "a kernel of even side": ("correlation.kernel", [[0.5, 0.5], [0.5, 0.5]]),
    "a kernel of NaN": ("correlation.kernel", [[float("nan")]]),
    "a kernel of another power": ("correlation.kernel", [[2.0]]),
    "a kernel that is no array": ("correlation.kernel", {"a": 1}),
    "channel matrices of fewer classes": ("correlation.noise.loadings", [[[1.0], [1.0]]]),
    "channel matrices of another variance": ("correlation.noise.own", [[2.0, 2.0]] * 3),
    "a drift of no length": ("correlation.drift_sigmas", [-1.0]),
    "a drift without weights": ("correlation.drift_weights", [0.5]),
    "more than all of the variance": ("correlation.drift_share", [[2.0, 2.0]] * 3),
    "drift of fewer classes": ("correlation.drift_share", [[0.1, 0.1]]),
    "curves that fall": ("marginals.eta", [[-1.0, -1.0]] * 3),
    "curves of fewer classes": ("marginals.gamma", [[0.0, 0.0]]),
    "families of fewer channels": ("marginals.family", [["SN"]] * 3),
    "an empty range": ("marginals.high", [[0.0, 0.0]] * 3),
    "a range without end": ("marginals.high", [[float("inf")] * 2] * 3),
    "no pixels": ("marginals.counts", [[0, 0]] * 3),
    "counts of another size": ("invalid_counts", [[0, 0]]),
    "fewer channels than curves": ("channels", [{"mode": "H0"}]),
}


@pytest.mark.parametrize("crafted", CRAFTED)
def test_a_model_that_compiled_loops_would_trip_over_is_refused(crafted: str, tmp_path) -> None:
    """The loops that simulate check no index: what they trust must hold when a model is read."""
    IntensityModel.fit(*measurement(), correlation="both").save(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text())
    place, value = CRAFTED[crafted]
    *parents, last = place.split(".")
    inner = content
    for key in parents:
        inner = inner[key]
    inner[last] = value
    (tmp_path / "model.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="not a valid intensity model"):
        IntensityModel.load(tmp_path / "model.json")


@pytest.mark.parametrize("knots", [[1.0, 1.0], [2.0, 1.0], [float("nan"), 1.0], [1.0]])
def test_measured_quantiles_that_do_not_grow_are_refused(knots: list[float], tmp_path) -> None:
    IntensityModel.fit(*measurement(), marginal="empirical").save(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text())
    content["marginals"]["knots"] = [[knots] * 2] * 3
    (tmp_path / "model.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"marginals.*knots"):
        IntensityModel.load(tmp_path / "model.json")


def test_a_file_nested_beyond_reason_is_refused(tmp_path) -> None:
    (tmp_path / "model.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="not JSON"):
        IntensityModel.load(tmp_path / "model.json")
