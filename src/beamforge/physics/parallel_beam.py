"""Parallel-beam tomography: projections of phase maps, free-space propagation, and filtered back-projection.

All follow one geometry, that of `skimage.transform.radon`: pixel (row, column) of a slice of side n lies at
x = column − n // 2, r = row − n // 2, and at the angle θ meets the detector at u = x cos θ − r sin θ + n // 2.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError
from beamforge.statistics.compiled import compiled


def project_phases(phases: NDArray[np.uint8], count: int, angles: ArrayLike) -> Float32:
    """Add up how much of each phase every ray passes.

    Rays are sampled once for each row or column that they cross, whichever are more, with linear interpolation
    between two voxels (Joseph 1982, doi:10.1109/TMI.1982.4307572).

    Parameters
    ----------
    phases
        (z, y, x) number of the phase in each voxel, square slices; 0 is nothing.
    count
        Number of phases, 1 to `count` in the volume.
    angles
        (angle,) in degrees.

    Returns
    -------
    float32 (phase, z, angle, u), lengths in voxels.

    Raises
    ------
    InputError
        If slices are not square or hold a phase beyond `count`.
    """
    if phases.ndim != 3 or phases.shape[1] != phases.shape[2]:
        raise InputError(f"phases of shape {phases.shape}, expected (z, y, x) with square slices")
    if int(phases.max(initial=0)) > count:
        raise InputError(f"the volume holds the phase {int(phases.max())}, only 1 to {count} are declared")
    radians = np.deg2rad(np.asarray(angles, dtype=np.float64))
    found = np.zeros((phases.shape[0], len(radians), phases.shape[1], count + 1), dtype=np.float32)
    for number, plane in enumerate(np.ascontiguousarray(phases)):
        _project(plane, np.cos(radians), np.sin(radians), found[number])
    return np.ascontiguousarray(np.moveaxis(found[..., 1:], -1, 0))


@compiled
def _project(plane: NDArray[np.uint8], cosines: Float64, sines: Float64, found: Float32) -> None:
    """Fill (angle, u, phase); phase 0 takes what belongs to none."""
    side = plane.shape[0]
    middle = side // 2
    for a in range(len(cosines)):
        cosine, sine = cosines[a], sines[a]
        by_rows = abs(cosine) >= abs(sine)
        step = 1.0 / max(abs(cosine), abs(sine))
        for u in range(side):
            t = u - middle
            for i in range(side):
                at = i - middle
                place = (t + at * sine) / cosine if by_rows else (at * cosine - t) / sine
                place += middle
                low = math.floor(place)
                share = np.float32(place - low)
                if low < -1 or low >= side:
                    continue
                length = np.float32(step)
                if low >= 0:
                    phase = plane[i, low] if by_rows else plane[low, i]
                    found[a, u, phase] += length * (np.float32(1.0) - share)
                if low + 1 < side:
                    phase = plane[i, low + 1] if by_rows else plane[low + 1, i]
                    found[a, u, phase] += length * share


def propagated_intensity(
    absorption: Float32, phase: Float32, wavelength: float, distance: float, pixel: float
) -> Float32:
    """Let a wave behind a sample travel through free space, and give its intensity: near-field fringes at every edge.

    Source: Fresnel's transfer function exp(−iπ λ d f²) with the spatial frequency f; Paganin 2006, Sec. 1.4. Beyond
    its border the wave is continued by mirroring.

    Parameters
    ----------
    absorption
        (..., y, x) attenuation along the beam, µ·thickness; the intensity right behind the sample is exp(−absorption).
    phase
        (..., y, x) phase shift in rad.
    wavelength, distance, pixel
        In the same unit of length.

    Returns
    -------
    float32 (..., y, x).
    """
    if distance == 0.0:
        return np.exp(-absorption).astype(np.float32)
    rows, columns = absorption.shape[-2:]
    border = [(0, 0)] * (absorption.ndim - 2) + [(rows, 0), (columns, 0)]
    wave = np.exp((-0.5 * absorption - 1j * phase).astype(np.complex64))
    # Mirrored once along both axes the wave is periodic without a jump.
    whole = np.pad(wave, border, mode="symmetric")
    along_y, along_x = fft.fftfreq(2 * rows, pixel), fft.fftfreq(2 * columns, pixel)
    squared = along_y[:, None] ** 2 + along_x[None, :] ** 2
    kernel = np.exp(-1j * np.pi * wavelength * distance * squared).astype(np.complex64)
    travelled = fft.ifft2(fft.fft2(whole) * kernel)[..., rows:, columns:]
    intensity: Float32 = (np.abs(travelled) ** 2).astype(np.float32)
    return intensity


def filtered_back_projection(sinogram: Float32, angles: ArrayLike) -> Float32:
    """Reconstruct a slice.

    Source: Kak and Slaney 1988, ch. 3: the ramp filter from its samples in space, linear interpolation; as
    `skimage.transform.iradon` does it.

    Parameters
    ----------
    sinogram
        (angle, u) integrals along rays, in pixels.
    angles
        (angle,) in degrees, evenly spread over 180° or less; each counts as 180° over their number.

    Returns
    -------
    float32 (y, x), 0 outside the circle that all projections see.

    Raises
    ------
    InputError
        If the number of angles differs.
    """
    radians = np.deg2rad(np.asarray(angles, dtype=np.float64))
    if sinogram.ndim != 2 or len(sinogram) != len(radians):
        raise InputError(f"a sinogram of shape {sinogram.shape} for {len(radians)} angles, expected (angle, u)")
    side = sinogram.shape[1]
    padded = max(64, 2 ** math.ceil(math.log2(2 * side)))
    spectrum = fft.rfft(sinogram, n=padded, axis=1) * ramp_filter(padded)
    filtered = fft.irfft(spectrum, n=padded, axis=1)[:, :side].astype(np.float32)
    found = np.zeros((side, side), dtype=np.float32)
    _back_project(np.ascontiguousarray(filtered), np.cos(radians), np.sin(radians), found)
    found *= np.float32(np.pi / len(radians))
    return found


def ramp_filter(size: int) -> Float32:
    """Give the ramp filter's response at the frequencies of a real Fourier transform of this even size.

    Source: Kak and Slaney 1988, Eq. 61: sampled in space, so that the mean of a slice comes out right.
    """
    taps = np.zeros(size)
    taps[0] = 0.25
    odd = np.arange(1, size // 2 + 1, 2)
    taps[odd] = taps[-odd] = -1.0 / (np.pi * odd) ** 2
    return np.asarray(fft.rfft(taps).real, dtype=np.float32)


@compiled
def _back_project(filtered: Float32, cosines: Float64, sines: Float64, found: Float32) -> None:
    side = found.shape[0]
    middle = side // 2
    for a in range(len(cosines)):
        cosine, sine = cosines[a], sines[a]
        line = filtered[a]
        for row in range(side):
            r = row - middle
            # Columns inside the circle of radius `middle` around the axis.
            half = math.sqrt(max(middle * middle - r * r, 0.0))
            first, last = math.ceil(middle - half), min(math.floor(middle + half), side - 1)
            if abs(r) > middle:
                continue
            for column in range(first, last + 1):
                place = (column - middle) * cosine - r * sine + middle
                low = math.floor(place)
                if low < 0 or low >= side - 1:
                    if low == side - 1 and place == low:
                        found[row, column] += line[low]
                    continue
                share = np.float32(place - low)
                found[row, column] += line[low] + share * (line[low + 1] - line[low])
