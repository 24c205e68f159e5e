from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.random import Generator, default_rng
from scipy.integrate import dblquad
from scipy.ndimage import gaussian_filter, maximum_filter, median_filter, minimum_filter

from beamforge.errors import InputError
from beamforge.reduction.black_body import PolynomialField
from beamforge.reduction.scatter import SampleScatter, corrected_transmission, half_space_blur, pixel_response


def test_a_point_spreads_as_seen_under_its_solid_angle() -> None:
    point = np.zeros((301, 301))
    point[150, 150] = 1.0
    spread = half_space_blur(point, 12.0)
    for offset in (0, 5, 20, 60):
        expected, _ = dblquad(
            lambda y, x: 12.0 / (2 * np.pi) * (144.0 + y * y + x * x) ** -1.5,
            offset - 0.5, offset + 0.5, -0.5, 0.5,
        )  # fmt: skip
        # The images are periodic beyond a margin of 301 px, which adds the tails of the copies.
        assert spread[150, 150 + offset] == pytest.approx(expected, rel=0.01, abs=1e-7)


def test_an_edge_spreads_as_an_arctangent() -> None:
    # A half plane seen from a distance d: 1/2 + atan(x / d) / pi.
    edge = np.zeros((40, 400))
    edge[:, 200:] = 1.0
    x = np.arange(400) - 199.5
    np.testing.assert_allclose(half_space_blur(edge, 8.0)[20], 0.5 + np.arctan(x / 8.0) / np.pi, atol=0.012)


def test_an_even_image_stays() -> None:
    np.testing.assert_allclose(half_space_blur(np.full((30, 50), 7.0), 20.0), 7.0, rtol=1e-12)


def test_the_response_keeps_fine_structure_only() -> None:
    x = np.arange(400)
    stripes = 1 + 0.05 * np.sin(2 * np.pi * x / 12)
    beam = (1000 + x)[None, :] * stripes * np.ones((100, 1))
    response = pixel_response(beam.astype(np.float32), sigma=25)
    np.testing.assert_allclose(response[:, 80:-80], np.broadcast_to(stripes, (100, 400))[:, 80:-80], rtol=2e-3)
    with pytest.raises(InputError, match="crop"):
        pixel_response(np.zeros((20, 20), np.float32))


class Wedge:
    """Frames of a step wedge with known scatter, made pixel by pixel without the code under test's coarse grids."""

    fraction, distance = 0.45, 40.0

    def __init__(self, rng: Generator, noise: float = 0.0) -> None:
        shape = (240, 320)
        y, x = np.mgrid[: shape[0], : shape[1]]
        self.mask = np.hypot((y % 80) - 40, (x % 80) - 40) <= 5
        shade = np.hypot((y % 80) - 40, (x % 80) - 40) <= 9
        steps = np.array([1.0, 0.7, 0.45, 0.25, 0.12])
        self.transmission = np.ones(shape)
        self.transmission[30:210, 60:260] = np.repeat(steps, 36)[:, None]
        beam = 4000 * np.exp(-((x - 150) ** 2 + (y - 100) ** 2) / 400**2)
        self.background = 0.06 * 3500 * (1 - 0.2 * y / shape[0])
        counts = {
            "reference": beam + self.background,
            "grid_reference": np.where(shade, 0, 0.95 * beam) + 0.95 * self.background,
        }
        for name, reference in (("sample", beam), ("grid_sample", np.where(shade, 0, 0.95 * beam))):
            background = self.background * (1 if name == "sample" else 0.95)
            passed = half_space_blur(reference * self.transmission, self.distance)
            total = half_space_blur(reference, self.distance)
            field = background * passed / total + self.fraction * (total - passed)
            counts[name] = reference * self.transmission + field
            if name == "sample":
                self.field = field
        self.frames = {
            name: (frame + noise * np.sqrt(frame) * rng.standard_normal(shape)).astype(np.float32)
            for name, frame in counts.items()
        }

    def fit(self) -> tuple[SampleScatter, PolynomialField]:
        background = PolynomialField.fit(self.frames["grid_reference"], self.mask, degree=1)
        return SampleScatter.fit(**self.frames, mask=self.mask, background=background), background


@pytest.mark.parametrize(("noise", "tolerance"), [(0.0, 0.03), (2.2, 0.06)])
def test_known_scatter_is_found_and_removed(noise: float, tolerance: float) -> None:
    wedge = Wedge(default_rng(2), noise)
    model, background = wedge.fit()
    assert model.fraction == pytest.approx(wedge.fraction, rel=tolerance)
    assert model.distance == pytest.approx(wedge.distance, rel=4 * tolerance)
    sample, reference = wedge.frames["sample"], wedge.frames["reference"]
    reference_field = background.of(reference)
    field = model.of(sample, reference, reference_field)
    corrected = gaussian_filter(corrected_transmission(sample, reference, field, reference_field), 4)
    raw = sample / reference
    for row, truth in zip(range(30, 210, 36), (1.0, 0.7, 0.45, 0.25, 0.12), strict=True):
        inside = np.s_[row + 12 : row + 24, 75:245]
        assert corrected[inside].mean() == pytest.approx(truth, abs=0.01)
        if truth < 0.5:
            assert abs(raw[inside].mean() - truth) > 0.04


def test_the_field_scales_with_the_dose() -> None:
    wedge = Wedge(default_rng(3))
    model, background = wedge.fit()
    sample, reference = wedge.frames["sample"], wedge.frames["reference"]
    once = model.of(sample, reference, background.of(reference))
    thrice = model.of(3 * sample, 3 * reference, background.of(3 * reference))
    np.testing.assert_allclose(thrice, 3 * once, rtol=1e-4)


def test_bad_frames_are_refused() -> None:
    wedge = Wedge(default_rng(4))
    model = SampleScatter(fraction=0.4, distance=40.0)
    sample, reference = wedge.frames["sample"], wedge.frames["reference"]
    with pytest.raises(InputError, match="differ in size"):
        model.of(sample[:-2], reference, reference)
    with pytest.raises(InputError, match="exceeds the reference"):
        model.of(sample, reference, 2 * reference)
    two = np.zeros_like(wedge.mask)
    two[:, :80] = wedge.mask[:, :80]
    two[80:] = False
    background = PolynomialField.fit(wedge.frames["grid_reference"], wedge.mask, degree=1)
    with pytest.raises(InputError, match="cannot fix two parameters"):
        SampleScatter.fit(**wedge.frames, mask=two, background=background)


def test_nothing_left_of_the_reference_is_invalid() -> None:
    reference = np.array([[10.0, 5.0, 2.0]], np.float32)
    field = np.full((1, 3), 5.0, np.float32)
    np.testing.assert_array_equal(corrected_transmission(reference, reference, field, field), [[1.0, np.nan, np.nan]])


def test_water_steps_become_flat_and_evenly_spaced(real_data: Path) -> None:
    folder = real_data / "neutron" / "step_wedge"
    raw = {
        name: tifffile.imread(folder / f"exp20s_{name}.tif").astype(np.float32)
        for name in ("dc", "ob", "empty", "h2o", "bbempty", "bbh2o")
    }
    dark = np.float32(np.median(raw.pop("dc")))
    response = pixel_response(median_filter(raw["ob"] - dark, 5))
    frames = {name: (frame - dark) / response for name, frame in raw.items()}
    mask = tifffile.imread(folder / "bb_masked.tif")
    background = PolynomialField.fit(frames["bbempty"], mask)
    model = SampleScatter.fit(frames["h2o"], frames["empty"], frames["bbh2o"], frames["bbempty"], mask, background)
    assert 0.4 < model.fraction < 0.6  # isotropic scatter sends one half forward
    reference_field = background.of(frames["empty"])
    field = model.of(frames["h2o"], frames["empty"], reference_field)
    corrected = corrected_transmission(frames["h2o"], frames["empty"], field, reference_field)

    labels = tifffile.imread(folder / "labels_water_steps.tif")
    inside = minimum_filter(labels, 15) == maximum_filter(labels, 15)
    separation = {}
    for name, image in (("raw", frames["h2o"] / frames["empty"]), ("corrected", corrected)):
        smooth = gaussian_filter(median_filter(image, 5), 3)
        attenuation = [-np.log(smooth[inside & (labels == step)]) for step in range(1, 11)]
        centres = np.array([np.median(a) for a in attenuation])
        drift = np.array([np.std(a) for a in attenuation])
        separation[name] = np.diff(centres) / np.hypot(drift[1:], drift[:-1])
        spacing = np.diff(centres)
    assert separation["corrected"][5:].min() > 2 * separation["raw"][5:].min()
    # Every step is 0.5 mm thicker than the one before.
    assert spacing.std() / spacing.mean() < 0.15
