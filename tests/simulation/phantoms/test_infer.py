import json

import numpy as np
import pytest
import tifffile
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter, median_filter
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

from beamforge.io import open_labels, open_stack
from beamforge.physics.detector import Detector, PixelFaults
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.physics.materials import ALUMINIUM, HEAVY_WATER, QUARTZ, STAINLESS_STEEL
from beamforge.simulation.phantoms.infer import InferPhantom, acquire, measure
from beamforge.simulation.phantoms.raw_files import write_raw
from beamforge.stack import IGNORE, Channel, channels_of, classes_of

SMALL = InferPhantom(size=256, lengths=3, longest=1500.0)
IDEAL = InferPhantom(
    size=256,
    lengths=5,
    longest=1500.0,
    flux=400.0,
    detector_scatter=0.0,
    sample_scatter=0.0,
    step_error=0.0,
    beam_drift=0.0,
    creaming=0.0,
    monitor_rate=1e7,
    detector=Detector(gamma=GammaSpots(rate=0.0), read_noise=0.0, gain=1.0, psf=0.0),
    faults=PixelFaults(dead=0.0, hot=0.0),
)


def medians(values: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Median of each channel in each class, (class, channel)."""
    return np.array([np.nanmedian(values[:, labels == number], axis=1) for number in range(classes)])


def test_without_imperfections_every_class_shows_what_the_formulas_say() -> None:
    stack, labels = measure(IDEAL, default_rng(1))
    found = medians(stack.values, labels.values, 12).reshape(12, 5, 3)
    windows = np.exp(-0.25 * QUARTZ.attenuation(4.0))
    metals = [np.exp(-1.0 * ALUMINIUM.attenuation(4.0)), np.exp(-0.3 * STAINLESS_STEEL.attenuation(4.0))]
    liquids = [HEAVY_WATER.attenuation(4.0), *(s.attenuation(4.0) for s in IDEAL.suspensions)]
    expected = [1.0, *metals, windows, *(windows * np.exp(-0.2 * np.array(liquids)))]
    np.testing.assert_allclose(found[:, :, 0], np.broadcast_to(np.array(expected)[:, None], (12, 5)), rtol=2e-3)
    np.testing.assert_allclose(found[:5, :, 2], 0.0, atol=4e-3)
    lengths = IDEAL.autocorrelation_lengths
    for number, suspension in enumerate(IDEAL.suspensions, start=5):
        dark_field = -np.log(suspension.visibility_ratio(lengths, 4.0, 0.2))
        np.testing.assert_allclose(found[number, :, 2], dark_field, atol=6e-3)


def test_with_them_scatter_makes_everything_a_little_brighter() -> None:
    ideal, labels = measure(IDEAL, default_rng(1))
    scattered, _ = measure(IDEAL.model_copy(update={"detector_scatter": 0.06, "sample_scatter": 0.1}), default_rng(1))
    h0, with_scatter = (medians(s.values[0:1], labels.values, 12)[1:, 0] for s in (ideal, scattered))
    assert (with_scatter > h0 + 0.002).all()
    assert (with_scatter < h0 + 0.06).all()


def test_channels_and_classes_are_named() -> None:
    stack, labels = measure(SMALL, default_rng(1))
    assert stack.dtype == np.float32
    assert [c.label for c in channels_of(stack)][:4] == ["H0 40 nm", "H1 40 nm", "DF 40 nm", "H0 244.9 nm"]
    assert stack.attrs["pixel_size"] == pytest.approx(98.8 / 256 * 1000)
    assert classes_of(labels).names[:6] == (
        "open beam",
        "aluminium holder",
        "steel bar",
        "empty cuvette",
        "D2O",
        "50 nm",
    )
    assert len(classes_of(labels)) == 12


@pytest.mark.parametrize("layout", ["annotated", "unseen"])
def test_every_class_has_pixels_and_edges_are_left_out(layout) -> None:
    for config in (SMALL, InferPhantom.demo()):
        labels = acquire(config, default_rng(4), layout).labels.values
        counts = np.bincount(labels.ravel(), minlength=256)
        assert (counts[:12] > 800).all()
        assert set(np.flatnonzero(counts)) == {*range(12), IGNORE}
        assert 0.1 < counts[IGNORE] / labels.size < 0.4
        # No two classes touch: between any two lie walls or edges.
        for a, b in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
            assert not ((a != b) & (a != IGNORE) & (b != IGNORE)).any()


def test_cuvettes_of_the_unseen_acquisition_stand_in_other_places() -> None:
    one, other = (acquire(SMALL, default_rng(4), layout).labels.values for layout in ("annotated", "unseen"))
    for number in range(3, 12):
        assert not ((one == number) & (other == number)).any()


def test_chunks_are_computed_in_any_order_and_again_to_the_same_bytes() -> None:
    eager, _ = measure(SMALL, default_rng(9))
    lazy, _ = measure(SMALL, default_rng(9), lazy=True)
    assert lazy.chunks[0] == (3, 3, 3)
    for part in (slice(6, 9), slice(0, 3), slice(6, 9)):
        assert lazy[part].values.tobytes() == eager[part].values.tobytes()
    fresh, _ = measure(SMALL, default_rng(10))
    assert not np.array_equal(fresh.values[:, 5, 5], eager.values[:, 5, 5])


def test_noise_of_neighbours_is_correlated_as_the_light_spread_says() -> None:
    detector = Detector(gamma=GammaSpots(rate=0.0), psf=0.8, read_noise=0.0)
    stack, labels = measure(IDEAL.model_copy(update={"flux": 16.0, "detector": detector}), default_rng(2))
    open_beam = np.where(labels.values == 0, stack.values[0] - 1.0, np.nan)
    open_beam -= np.nanmedian(open_beam)
    found = np.nanmean(open_beam[:, 1:] * open_beam[:, :-1]) / np.nanvar(open_beam)
    kernel = gaussian_filter(np.eye(1, 31, 15)[0], 0.8)
    expected = (kernel[1:] * kernel[:-1]).sum() / (kernel**2).sum()
    assert found == pytest.approx(expected, abs=0.03)


def test_spheres_gather_at_the_top_of_one_cuvette() -> None:
    acquisition = acquire(IDEAL.model_copy(update={"creaming": 0.4}), default_rng(3))
    ratio = acquisition.visibility_ratio(1500.0)
    labels = acquisition.labels.values
    for number, relative in ((11, 1.4 / 0.6), (10, 1.0)):
        rows = np.flatnonzero((labels == number).any(axis=1))
        inside = np.where(labels == number, -np.log(ratio), np.nan)
        top, bottom = np.nanmean(inside[rows[:3]]), np.nanmean(inside[rows[-3:]])
        assert top / bottom == pytest.approx(relative, rel=0.12)


def test_pixels_are_ambiguous_but_neighbourhoods_are_not() -> None:
    config = InferPhantom.demo()
    (stack, labels), (other, truth) = (
        measure(config, default_rng(i), layout) for i, layout in ((1, "annotated"), (2, "unseen"))
    )

    def dice(prepare) -> float:
        known, seen = labels.values != IGNORE, truth.values != IGNORE
        train = prepare(np.nan_to_num(stack.values))[:, known][:, ::3].T
        low, high = np.quantile(train, [0.003, 0.997], axis=0)
        model = QuadraticDiscriminantAnalysis(reg_param=1e-4).fit(train.clip(low, high), labels.values[known][::3])
        found = model.predict(prepare(np.nan_to_num(other.values))[:, seen][:, ::2].T.clip(low, high))
        wanted = truth.values[seen][::2]
        hits = [
            2 * ((found == c) & (wanted == c)).sum() / ((found == c).sum() + (wanted == c).sum()) for c in range(12)
        ]
        return float(np.mean(hits))

    assert 0.75 < dice(lambda values: values) < 0.92
    assert dice(lambda values: np.stack([gaussian_filter(median_filter(v, 5), 2.0) for v in values])) > 0.97


def test_raw_frames_on_disk_are_those_in_memory(tmp_path) -> None:
    acquisition = acquire(SMALL, default_rng(5))
    write_raw(acquisition, tmp_path / "raw")
    frames = acquisition.frames(1)
    raw = open_stack(str(tmp_path / "raw" / "{mode}" / "{autocorrelation_length}.tif"))
    assert raw.dtype == np.uint16
    assert raw.sizes["channel"] == 3 * 2 * 5
    channels = channels_of(raw)
    for mode, expected in (("sample_2", frames.sample.frames[2]), ("open_beam_4", frames.open_beam.frames[4])):
        place = channels.index(Channel(mode=mode, autocorrelation_length=244.95))
        np.testing.assert_array_equal(raw[place].values, expected)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "raw" / "dark_0.tif"), acquisition.dark[0])
    labels = open_labels(tmp_path / "raw" / "labels.tif")
    np.testing.assert_array_equal(labels.values, acquisition.labels.values)
    assert classes_of(labels) == SMALL.classes
    description = json.loads((tmp_path / "raw" / "acquisition.json").read_text())
    assert InferPhantom.model_validate(description["config"]) == SMALL
    assert description["monitor"]["sample"]["244.95"] == frames.sample.monitor.tolist()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"longest": 9000.0}, "period of .* px"),
        ({"shortest": 3000.0}, "do not ascend"),
        ({"suspensions": SMALL.suspensions * 2}, "room for 7"),
        ({"colour": 1}, "colour"),
    ],
)
def test_impossible_settings_are_named(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        InferPhantom.demo(**changes)


def test_the_full_size_is_that_of_the_experiment() -> None:
    full = InferPhantom.full()
    assert (full.size, full.lengths, len(full.classes)) == (1924, 84, 12)
    assert full.pixel_size == pytest.approx(51.35, abs=0.01)
