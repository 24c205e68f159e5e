"""The engine in torch, for a GPU; on a CPU the compiled loops are faster."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from beamforge.arrays import Float32, Float64, Integers
from beamforge.simulation.labdct import kernels
from beamforge.simulation.labdct.jobs import PaintJob, TraceJob

_RAYS = 2_000_000
"""Rays, or pixels of patches, that are worked on at once."""


@dataclass(frozen=True)
class TorchEngine:
    """Torch on a device."""

    device: str = "cpu"

    def trace(self, job: TraceJob) -> tuple[Float32, Float64]:
        """Trace rays; see `Engine`."""
        rays = np.empty((job.offsets[-1], 3), np.float32)
        sums = np.zeros((len(job.grains), 8))
        for begin, end in _ranges(job.offsets):
            found, totals = self._trace(job, begin, end)
            rays[job.offsets[begin] : job.offsets[end]] = found.cpu().numpy()
            sums[begin:end] = totals.cpu().numpy()
        return rays, sums

    def paint(self, job: PaintJob) -> Float32:
        """Lay out spots; see `Engine`."""
        patches = np.zeros(int(job.shapes.prod(axis=1).sum()), np.float32)
        # Spots of like size share a batch, so that little of it is padding.
        order = np.argsort(job.shapes.max(axis=1), kind="stable")
        order = order[job.shapes[order, 0] > 0]
        begin = 0
        while begin < len(order):
            side = job.shapes[order[begin:], :].max(axis=1)
            end = begin + max(1, int(np.searchsorted(side**2 * np.arange(1, len(side) + 1), _RAYS)))
            for spot, patch in zip(order[begin:end], self._paint(job, order[begin:end]), strict=True):
                height, width = job.shapes[spot]
                patches[job.places[spot] : job.places[spot + 1]] = patch[:height, :width].ravel()
            begin = end
        return patches

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(values), device=self.device)

    def _trace(self, job: TraceJob, begin: int, end: int) -> tuple[Tensor, Tensor]:
        counts = self._tensor(np.diff(job.offsets[begin : end + 1]))
        part = torch.repeat_interleave(torch.arange(end - begin, device=self.device), counts)
        starts = self._tensor(job.first[job.grains[begin:end]] - (job.offsets[begin:end] - job.offsets[begin]))
        cell = torch.arange(len(part), device=self.device) + starts[part]
        points = self._tensor(job.points)[cell]
        vectors = self._tensor(job.vectors[begin:end])[part]
        beam = points - self._tensor(job.source)
        beam = beam / beam.norm(dim=1, keepdim=True)
        along = -(beam * vectors).sum(dim=1)
        wave = 0.5 * (vectors**2).sum(dim=1) / along
        directions = wave[:, None] * beam + vectors
        detector = self._tensor(job.detector)
        offset = points - detector[0]
        ahead = directions @ detector[1]
        offset = offset - ((offset @ detector[1]) / ahead)[:, None] * directions
        bases = self._tensor(job.bases[begin:end])[part]
        rows = detector[4, 1] - offset @ detector[3] / detector[4, 0] - bases[:, 0]
        columns = detector[4, 2] - offset @ detector[2] / detector[4, 0] - bases[:, 1]
        lowest, step, unit = job.scale
        place = (wave * unit - lowest) / step
        usable = (along > 0) & (ahead > 0) & (place >= 0) & (place < job.photons.shape[1] - 1)
        place = torch.where(usable, place, 0.0)
        lower = place.long()
        share = place - lower
        families = self._tensor(job.families[begin:end])[part]
        photons, absorption = self._tensor(job.photons), self._tensor(job.absorption)
        weights = (1.0 - share) * photons[families, lower] + share * photons[families, lower + 1]
        coefficient = (1.0 - share) * absorption[lower] + share * absorption[lower + 1]
        unit_directions = directions / wave[:, None]
        path = self._tensor(job.entries)[cell] + _way_out(points, unit_directions, job.body)
        weights = torch.where(usable, weights * torch.exp(-path * coefficient) * self._tensor(job.volumes)[cell], 0.0)
        carried = weights > 0
        rows, columns = torch.where(carried, rows, 0.0), torch.where(carried, columns, 0.0)
        energies = torch.where(carried, wave * unit, 0.0)
        values = torch.stack([torch.ones_like(rows), rows, columns, energies]) * weights
        sums = torch.zeros((8, end - begin), dtype=torch.float64, device=self.device)
        sums[:4].index_add_(1, part, values)
        for at, line in ((4, rows), (6, columns)):
            for shift, fill, rule in ((0, torch.inf, "amin"), (1, -torch.inf, "amax")):
                bound = torch.full((end - begin,), fill, dtype=torch.float64, device=self.device)
                bound.scatter_reduce_(0, part, torch.where(carried, line, fill), rule)
                sums[at + shift] = bound
        return torch.stack([rows, columns, weights], dim=1).float(), sums.T

    def _paint(self, job: PaintJob, spots: Integers) -> Float32:
        """Give the patches (spot, row, column) of some spots, padded to the largest."""
        height, width = (int(side) for side in job.shapes[spots].max(axis=0))
        counts = job.offsets[spots + 1] - job.offsets[spots]
        chosen = np.concatenate([np.arange(job.offsets[spot], job.offsets[spot + 1]) for spot in spots])
        rays = self._tensor(job.rays[chosen]).double()
        spot = torch.repeat_interleave(torch.arange(len(spots), device=self.device), self._tensor(counts))
        corners = self._tensor(job.corners[spots])[spot]
        carried = rays[:, 2] > 0
        rows = torch.where(carried, rays[:, 0] - corners[:, 0], 0.0)
        columns = torch.where(carried, rays[:, 1] - corners[:, 1], 0.0)
        i, j = rows.long(), columns.long()
        down, right = rows - i, columns - j
        sharp = torch.zeros(len(spots) * height * width, dtype=torch.float32, device=self.device)
        for di, share_i in ((0, 1.0 - down), (1, down)):
            for dj, share_j in ((0, 1.0 - right), (1, right)):
                pixel = (spot * height + i + di) * width + j + dj
                sharp.index_add_(0, pixel, (rays[:, 2] * share_i * share_j).float())
        reach = int(job.reaches[spots].max())
        taps = np.zeros((len(spots), 1, 2 * reach + 1, 2 * reach + 1), np.float32)
        for number, own in enumerate(spots):
            inner = slice(reach - int(job.reaches[own]), reach + int(job.reaches[own]) + 1)
            taps[number, 0, inner, inner] = kernels.gaussian(job.spreads[own], int(job.reaches[own]))
        blurred = torch.nn.functional.conv2d(
            sharp.reshape(1, len(spots), height, width), self._tensor(taps), padding=reach, groups=len(spots)
        )
        return np.asarray(blurred[0].cpu().numpy())


def _way_out(points: Tensor, directions: Tensor, body: Float64) -> Tensor:
    """Give the way (ray,) in mm to the surface of the body; see `kernels.leaves_after`."""
    kind, half_x, half_y, half_z, cosine, sine = body
    if kind == kernels.OPEN:
        return torch.zeros_like(points[:, 0])
    way = _slab(points[:, 2], directions[:, 2], half_z)
    if kind == kernels.CYLINDER:
        a = (directions[:, :2] ** 2).sum(dim=1)
        b = (points[:, :2] * directions[:, :2]).sum(dim=1)
        root = b * b - a * ((points[:, :2] ** 2).sum(dim=1) - half_x * half_x)
        way = torch.minimum(way, torch.where(root > 0, (-b + root.clamp(min=0).sqrt()) / a, 0.0))
    else:
        turn = torch.tensor([[cosine, -sine], [sine, cosine]], dtype=points.dtype, device=points.device)
        inside, along = points[:, :2] @ turn, directions[:, :2] @ turn
        way = torch.minimum(way, _slab(inside[:, 0], along[:, 0], half_x))
        way = torch.minimum(way, _slab(inside[:, 1], along[:, 1], half_y))
    return way.clamp(min=0.0)


def _slab(places: Tensor, directions: Tensor, half: float) -> Tensor:
    steep = directions.abs() > 1e-12
    return torch.where(steep, (half * directions.sign() - places) / torch.where(steep, directions, 1.0), torch.inf)


def _ranges(offsets: Integers) -> list[tuple[int, int]]:
    """Cut parts into ranges of at most about `_RAYS` rays."""
    cuts = np.searchsorted(offsets, np.arange(_RAYS, offsets[-1], _RAYS))
    edges = sorted({0, *(int(cut) for cut in cuts), len(offsets) - 1})
    return list(pairwise(edges))
