"""Compiled loops of the forward model: rays of every cell, and spots laid out pixel by pixel.

Threads work on spots of their own, so the result does not depend on how many there are.
"""

from __future__ import annotations

import numpy as np

from beamforge.arrays import Float32, Float64, Integers
from beamforge.statistics.compiled import compiled

CYLINDER, BOX, OPEN = 0, 1, 2
"""Kinds of outer shape; an open one absorbs nothing."""


@compiled
def leaves_after(px: float, py: float, pz: float, dx: float, dy: float, dz: float, body: Float64) -> float:
    """Give the way in mm from a point along a unit direction to the surface of a body; 0 from outside.

    `body` holds kind, half widths along x, y, z in mm, and cosine and sine of the sample's rotation.
    """
    if body[0] == OPEN:
        return 0.0
    way = np.inf
    if abs(dz) > 1e-12:
        way = (body[3] * np.sign(dz) - pz) / dz
    if body[0] == CYLINDER:
        a = dx * dx + dy * dy
        if a > 1e-24:
            b = px * dx + py * dy
            c = px * px + py * py - body[1] * body[1]
            root = b * b - a * c
            way = min(way, (-b + np.sqrt(root)) / a) if root > 0.0 else 0.0
    else:
        # A box turns with the sample: look at the ray in the sample's frame.
        x, y = body[4] * px + body[5] * py, body[4] * py - body[5] * px
        u, v = body[4] * dx + body[5] * dy, body[4] * dy - body[5] * dx
        if abs(u) > 1e-12:
            way = min(way, (body[1] * np.sign(u) - x) / u)
        if abs(v) > 1e-12:
            way = min(way, (body[2] * np.sign(v) - y) / v)
    return max(way, 0.0)


@compiled
def entry_paths(points: Float64, source: Float64, body: Float64, out: Float64) -> None:
    """Give the way (cell,) in mm that the beam goes inside the body before it reaches each cell (cell, 3)."""
    for cell in range(len(points)):
        x, y, z = points[cell, 0], points[cell, 1], points[cell, 2]
        dx, dy, dz = source[0] - x, source[1] - y, source[2] - z
        length = np.sqrt(dx * dx + dy * dy + dz * dz)
        out[cell] = leaves_after(x, y, z, dx / length, dy / length, dz / length, body)


@compiled
def trace(
    begin: int,
    end: int,
    grains: Integers,
    families: Integers,
    vectors: Float64,
    bases: Float64,
    offsets: Integers,
    first: Integers,
    points: Float64,
    volumes: Float64,
    entries: Float64,
    source: Float64,
    body: Float64,
    detector: Float64,
    photons: Float64,
    absorption: Float64,
    scale: Float64,
    rays: Float32,
    sums: Float64,
) -> None:
    """Trace the spots `begin` to `end`.

    Writes for every cell row and column relative to the spot's base and photons into `rays` (ray, 3), and for every
    spot the sums of photons, photons times row, column and energy, and the bounds of rows and columns, into `sums`
    (spot, 8). `detector` holds origin, normal, y and z axis, pixel in mm, row and column of the beam; `scale` the
    lowest energy, the step of the tables and hc / 2π.
    """
    for spot in range(begin, end):
        gx, gy, gz = vectors[spot, 0], vectors[spot, 1], vectors[spot, 2]
        square = gx * gx + gy * gy + gz * gz
        ray = offsets[spot]
        total, rows, columns, energies = 0.0, 0.0, 0.0, 0.0
        top, bottom, left, right = np.inf, -np.inf, np.inf, -np.inf
        table = photons[families[spot]]
        for cell in range(first[grains[spot]], first[grains[spot] + 1]):
            x, y, z = points[cell, 0], points[cell, 1], points[cell, 2]
            bx, by, bz = x - source[0], y - source[1], z - source[2]
            norm = 1.0 / np.sqrt(bx * bx + by * by + bz * bz)
            bx, by, bz = bx * norm, by * norm, bz * norm
            along = -(bx * gx + by * gy + bz * gz)
            rays[ray, 2] = 0.0
            ray += 1
            if along <= 0.0:
                continue
            wave = 0.5 * square / along
            place = (wave * scale[2] - scale[0]) / scale[1]
            if not 0.0 <= place < len(table) - 1:
                continue
            dx, dy, dz = wave * bx + gx, wave * by + gy, wave * bz + gz
            ahead = dx * detector[1, 0] + dy * detector[1, 1] + dz * detector[1, 2]
            if ahead <= 0.0:
                continue
            ox, oy, oz = x - detector[0, 0], y - detector[0, 1], z - detector[0, 2]
            length = -(ox * detector[1, 0] + oy * detector[1, 1] + oz * detector[1, 2]) / ahead
            ox, oy, oz = ox + length * dx, oy + length * dy, oz + length * dz
            up = ox * detector[3, 0] + oy * detector[3, 1] + oz * detector[3, 2]
            across = ox * detector[2, 0] + oy * detector[2, 1] + oz * detector[2, 2]
            row = detector[4, 1] - up / detector[4, 0] - bases[spot, 0]
            column = detector[4, 2] - across / detector[4, 0] - bases[spot, 1]
            lower = int(place)
            part = place - lower
            weight = (1.0 - part) * table[lower] + part * table[lower + 1]
            path = entries[cell] + leaves_after(x, y, z, dx / wave, dy / wave, dz / wave, body)
            if path > 0.0:
                weight *= np.exp(-path * ((1.0 - part) * absorption[lower] + part * absorption[lower + 1]))
            weight *= volumes[cell]
            rays[ray - 1, 0] = row
            rays[ray - 1, 1] = column
            rays[ray - 1, 2] = weight
            if weight > 0.0:
                total += weight
                rows += weight * row
                columns += weight * column
                energies += weight * wave * scale[2]
                top, bottom = min(top, row), max(bottom, row)
                left, right = min(left, column), max(right, column)
        sums[spot, 0] = total
        sums[spot, 1] = rows
        sums[spot, 2] = columns
        sums[spot, 3] = energies
        sums[spot, 4] = top
        sums[spot, 5] = bottom
        sums[spot, 6] = left
        sums[spot, 7] = right


@compiled
def paint(
    begin: int,
    end: int,
    offsets: Integers,
    rays: Float32,
    corners: Float64,
    shapes: Integers,
    places: Integers,
    spreads: Float64,
    radii: Integers,
    patches: Float32,
) -> None:
    """Lay the rays of the spots `begin` to `end` on patches and blur each by its own spread.

    Parameters
    ----------
    begin, end
        Range of spots.
    offsets, rays
        As in `trace`.
    corners
        Row and column (spot, 2) of each patch's first pixel, relative to the spot's base.
    shapes, places
        Rows and columns (spot, 2) of the patches, and where each begins in `patches`.
    spreads, radii
        Blur of each spot (spot, 3) as variances of rows and columns and their covariance, and its reach in px.
    patches
        All patches in a row, flat.
    """
    for spot in range(begin, end):
        height, width = shapes[spot, 0], shapes[spot, 1]
        if height == 0:
            continue
        sharp = np.zeros((height, width), np.float32)
        for ray in range(offsets[spot], offsets[spot + 1]):
            weight = rays[ray, 2]
            if weight > 0.0:
                row = np.float64(rays[ray, 0]) - corners[spot, 0]
                column = np.float64(rays[ray, 1]) - corners[spot, 1]
                i, j = int(row), int(column)
                down, right = np.float32(row - i), np.float32(column - j)
                one = np.float32(1.0)
                sharp[i, j] += weight * (one - down) * (one - right)
                sharp[i, j + 1] += weight * (one - down) * right
                sharp[i + 1, j] += weight * down * (one - right)
                sharp[i + 1, j + 1] += weight * down * right
        reach = radii[spot]
        kernel = gaussian(spreads[spot], reach)
        start = places[spot]
        patch = patches[start : start + height * width].reshape((height, width))
        for i in range(-reach, reach + 1):
            for j in range(-reach, reach + 1):
                factor = kernel[i + reach, j + reach]
                for row in range(reach, height - reach):
                    for column in range(reach, width - reach):
                        patch[row + i, column + j] += factor * sharp[row, column]


@compiled
def gaussian(spread: Float64, reach: int) -> Float32:
    """Give a Gaussian of variances and covariance (3,) on pixels up to `reach` from its middle, of sum 1."""
    determinant = spread[0] * spread[1] - spread[2] * spread[2]
    a, b, c = spread[1] / determinant, spread[0] / determinant, -spread[2] / determinant
    kernel = np.empty((2 * reach + 1, 2 * reach + 1))
    total = 0.0
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            value = np.exp(-0.5 * (a * i * i + b * j * j + 2.0 * c * i * j))
            kernel[i + reach, j + reach] = value
            total += value
    return (kernel / total).astype(np.float32)


@compiled
def gather(
    origins: Integers,
    shapes: Integers,
    places: Integers,
    patches: Float32,
    shadow: np.ndarray,
    threshold: float,
    image: Float32,
    owners: Integers,
    areas: Integers,
    peaks: Float64,
) -> None:
    """Add all patches to the image, in order; note who is brightest where, and each spot's visible area and peak."""
    best = np.zeros(image.shape, np.float32)
    for spot in range(len(origins)):
        height, width = shapes[spot, 0], shapes[spot, 1]
        start = places[spot]
        for i in range(max(0, -origins[spot, 0]), min(height, image.shape[0] - origins[spot, 0])):
            row = origins[spot, 0] + i
            for j in range(max(0, -origins[spot, 1]), min(width, image.shape[1] - origins[spot, 1])):
                column = origins[spot, 1] + j
                value = patches[start + i * width + j]
                if shadow[row, column] or value == 0.0:
                    continue
                image[row, column] += value
                peaks[spot] = max(peaks[spot], np.float64(value))
                if value > threshold:
                    areas[spot] += 1
                    if value > best[row, column]:
                        best[row, column] = value
                        owners[row, column] = spot + 1
