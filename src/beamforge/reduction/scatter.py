"""Scattered neutrons: find what they add to an image from a black-body grid, and take it away.

A sample such as water scatters most of the neutrons it removes, and many still reach the detector, far from where they
would have. Their field is smooth but follows the sample, so a few black-body readings cannot map it alone. Here they
fix the two parameters of its physics instead (`SampleScatter`): a plane that scatters evenly in all directions, a
distance before the detector, lights up the detector by the kernel

    k(r) = d / (2 pi (d^2 + r^2)^(3/2)),

whose integral is 1 and whose Fourier transform is exp(-2 pi d |f|). What remains, scatter of the empty setting and the
detector's own glow, is smooth enough for `PolynomialField`.

Source of the method of black bodies: Boillat et al. 2018, Optics Express 26, 15769. The kernel is the solid angle of a
detector element seen from an isotropic scatterer.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat
from scipy.fft import irfft2, rfft2, rfftfreq
from scipy.ndimage import gaussian_filter, map_coordinates, zoom
from scipy.optimize import least_squares

from beamforge.arrays import Float32, Float64
from beamforge.errors import BeamforgeError, InputError
from beamforge.reduction.black_body import PolynomialField, read_black_bodies

_ROUNDS = 50
_CHANGE = 1e-4


def half_space_blur(image: ArrayLike, distance: float) -> Float64:
    """Spread an image as a plane spreads scattered neutrons over a detector some way behind it.

    Parameters
    ----------
    image
        (y, x); beyond its border it is taken to go on as at the border.
    distance
        Distance of the plane from the detector in px.
    """
    values = np.asarray(image, dtype=np.float64)
    height, width = values.shape
    # The kernel falls slowly (a third of it lies beyond three distances), so the border goes on for a whole image.
    margin = max(height, width)
    wide = np.pad(values, margin, mode="edge")
    frequency = np.hypot(np.fft.fftfreq(wide.shape[0])[:, None], rfftfreq(wide.shape[1])[None, :])
    spread = irfft2(rfft2(wide) * np.exp(-2.0 * np.pi * distance * frequency), wide.shape)
    return np.asarray(spread[margin : margin + height, margin : margin + width])


def pixel_response(open_beam: Float32, sigma: float = 25.0) -> Float32:
    """Give how strongly each pixel responds, from the fine structure of the open beam; 1 on average.

    Scattered neutrons are detected by the same pixels as the others, so their smooth field shows up multiplied by
    this. Divide every frame by it before anything else in this module; otherwise the structure reappears where the
    field is subtracted (on a measured open beam with stripes of 4 %, it was as strong as field over open beam says).

    Parameters
    ----------
    open_beam
        Dark-corrected open beam (y, x), without invalid pixels.
    sigma
        Width in px above which structure counts as the beam's, not the pixels'.
    """
    smooth = gaussian_filter(open_beam.astype(np.float64), sigma, mode="nearest")
    if not (smooth > 0).all():
        raise InputError(
            f"the open beam falls to {smooth.min():g} (smoothed over {sigma:g} px), expected counts above 0; "
            "crop the image to the beam"
        )
    response: Float32 = (open_beam / smooth).astype(np.float32)
    return response


class SampleScatter(BaseModel):
    """Scatter that a sample adds to what a reference without it shows.

    Where the sample lets the fraction T of a reference frame through, the reference's own field (scatter of container
    and setting, glow) falls with T averaged over the neighbourhood, and the removed part comes back spread:

        field = reference field * blur(R T) / blur(R) + fraction * blur(R (1 - T)),   R = reference - its field.

    Attributes
    ----------
    fraction
        Part of the removed neutrons that reaches the detector; even scattering without absorption gives 1/2.
    distance
        Distance of the sample from the detector in px.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fraction: float = Field(ge=0.0, lt=1.0)
    distance: PositiveFloat

    @classmethod
    def fit(
        cls,
        sample: Float32,
        reference: Float32,
        grid_sample: Float32,
        grid_reference: Float32,
        mask: ArrayLike,
        background: PolynomialField,
    ) -> Self:
        """Fit fraction and distance to what is read under the black bodies.

        Parameters
        ----------
        sample, reference
            Dark-corrected frames (y, x) with and without the scattering sample, e.g. filled and empty container,
            divided by the `pixel_response`.
        grid_sample, grid_reference
            The same with the black-body grid; their doses need not agree with the others'.
        mask
            (y, x), not 0 under the dots.
        background
            Field of the reference, fitted to `grid_reference`.

        Raises
        ------
        InputError
            If sizes differ or there are fewer than 3 dots.
        """
        _check_same_shape(sample=sample, reference=reference, grid_sample=grid_sample, grid_reference=grid_reference)
        readings = read_black_bodies(grid_sample, mask)
        if len(readings) < 3:
            raise InputError(f"{len(readings)} black-body dots cannot fix two parameters, expected at least 3")
        dots = np.asarray(mask) != 0
        diameter = 2.0 * np.sqrt(dots.sum() / len(readings) / np.pi)
        largest = float(max(sample.shape))
        block = max(1, int(diameter / 2.0))
        coarse = {
            name: _block_medians(frame, block)
            for name, frame in {
                "sample": sample, "reference": reference, "grid": grid_reference,
                "field": background.of(reference), "grid_field": background.of(grid_reference),
            }.items()
        }  # fmt: skip
        places = ((readings.places + 0.5) / block - 0.5).T

        def misfit(values: Float64) -> Float64:
            model = cls(fraction=float(values[0]), distance=float(values[1]))
            near = model.distance / block
            transmission, _ = model._solve(coarse["sample"], coarse["reference"], coarse["field"], near)
            # The dots shade the sample: only what passes the grid can be scattered.
            passing = np.maximum(coarse["grid"] - coarse["grid_field"], 0.0)
            field = model._field(transmission, passing, coarse["grid_field"], near)
            return np.asarray(map_coordinates(field, places, order=1, mode="nearest") - readings.values)

        # A robust loss, on the scale of the misfit at the start: dots over edges or spots must not decide.
        start = np.array([0.4, 10.0 * diameter])
        scale = float(np.median(np.abs(misfit(start)))) + 1e-9
        found = least_squares(
            misfit, start, bounds=([0.0, diameter], [0.99, largest]), x_scale=[0.1, diameter], diff_step=1e-3,
            loss="soft_l1", f_scale=scale,
        )  # fmt: skip
        return cls(fraction=float(found.x[0]), distance=float(found.x[1]))

    def of(self, sample: Float32, reference: Float32, reference_field: Float32) -> Float32:
        """Give the field inside a frame of the sample, in its units.

        Parameters
        ----------
        sample, reference
            Dark-corrected frames (y, x) at the same dose, divided by the `pixel_response`.
        reference_field
            Field inside the reference (y, x), from `PolynomialField.of`.

        Raises
        ------
        InputError
            If sizes differ.
        BeamforgeError
            If transmission and field do not settle.
        """
        _check_same_shape(sample=sample, reference=reference, reference_field=reference_field)
        block = max(1, int(self.distance / 12.0))
        coarse_sample, coarse_reference, coarse_field = (
            _block_medians(frame, block) for frame in (sample, reference, reference_field)
        )
        _, field = self._solve(coarse_sample, coarse_reference, coarse_field, self.distance / block)
        return _block_centres_to_pixels(field, block, sample.shape)

    def _field(self, transmission: Float64, incident: Float64, incident_field: Float64, distance: float) -> Float64:
        passed = half_space_blur(incident * transmission, distance)
        everything = half_space_blur(incident, distance)
        return incident_field * passed / everything + self.fraction * (everything - passed)

    def _solve(
        self, sample: Float64, reference: Float64, reference_field: Float64, distance: float
    ) -> tuple[Float64, Float64]:
        """Find the transmission and the field that explain the frame together, by going round."""
        incident = reference - reference_field
        if not (incident > 0).all():
            raise InputError(
                "the scatter field exceeds the reference frame somewhere; crop the frames to the beam or check the "
                "black-body frames"
            )
        transmission = np.clip(sample / reference, 0.0, 1.0)
        for _ in range(_ROUNDS):
            field = self._field(transmission, incident, reference_field, distance)
            # Unphysical values (noise, spots, edges that moved) must not scatter.
            again = np.clip((sample - field) / incident, 0.0, 1.0)
            change = float(np.abs(again - transmission).max())
            transmission = again
            if change < _CHANGE:
                return transmission, field
        raise BeamforgeError(
            f"transmission and scatter did not settle in {_ROUNDS} rounds (last change {change:.2g}) for the fraction "
            f"{self.fraction:.3g} and the distance {self.distance:.3g} px"
        )


def corrected_transmission(
    sample: Float32, reference: Float32, sample_field: Float32, reference_field: Float32
) -> Float32:
    """Divide a frame by its reference after taking the field of scatter out of both.

    Parameters
    ----------
    sample, reference
        Dark-corrected frames (y, x), divided by the `pixel_response`.
    sample_field, reference_field
        Fields inside them (y, x), in the same units.

    Returns
    -------
    Transmission (y, x), NaN where nothing of the reference is left. Noise may take it below 0 in thick places; that
    is kept, since clipping would shift the mean.
    """
    _check_same_shape(sample=sample, reference=reference, sample_field=sample_field, reference_field=reference_field)
    left = reference - reference_field
    ratio = np.full(left.shape, np.nan, np.float32)
    np.divide(sample - sample_field, left, out=ratio, where=left > 0)
    return ratio


def _check_same_shape(**frames: Float32) -> None:
    shapes = {name: frame.shape for name, frame in frames.items()}
    if len(set(shapes.values())) > 1:
        listing = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(f"the frames differ in size (y, x): {listing}; crop or pad them to one size")


def _block_medians(frame: Float32, block: int) -> Float64:
    """Reduce a frame by taking the median of square blocks, which gamma spots do not move; the rest is cut off."""
    rows, columns = (size // block for size in frame.shape)
    if rows == 0 or columns == 0:
        raise InputError(f"frames of {frame.shape} px are smaller than the blocks of {block} px that scatter needs")
    blocks = frame[: rows * block, : columns * block].reshape(rows, block, columns, block)
    return np.asarray(np.median(blocks, axis=(1, 3)), dtype=np.float64)


def _block_centres_to_pixels(field: Float64, block: int, shape: tuple[int, ...]) -> Float32:
    if block == 1:
        return field.astype(np.float32)
    fine = zoom(field, block, order=1, grid_mode=True, mode="nearest")
    missing = [(0, size - have) for size, have in zip(shape, fine.shape, strict=True)]
    return np.pad(fine, missing, mode="edge").astype(np.float32)
