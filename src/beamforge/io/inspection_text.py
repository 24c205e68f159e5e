"""An inspection as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from beamforge.io.guard import readable_size
from beamforge.stack import Channel

if TYPE_CHECKING:
    from beamforge.io.inspection import Inspection

_BARS = " ▁▂▃▄▅▆▇█"
_SHOWN = 12


def text_of(found: Inspection, width: int) -> str:
    """Give an inspection as lines of at most `width` characters, except where a name alone is longer."""
    lines = [found.path, *(f"  {line}" for line in _lines(found, width))]
    return "\n".join(_printable(line) for line in lines)


def _printable(line: str) -> str:
    """Replace control characters, with which a name in a file could write anywhere on the terminal."""
    return "".join(character if character.isprintable() else "�" for character in line)


def _lines(found: Inspection, width: int) -> Iterator[str]:
    files = f", {found.files} files" if found.files > 1 else ""
    yield f"{found.format}, {found.kind}{files}"
    if found.shape:
        sides = " × ".join(f"{side} {dim}" for side, dim in zip(found.shape, found.dims, strict=True))
        chunk = "×".join(str(side) for side in found.chunk)
        yield f"shape      {sides}, {found.dtype}, {readable_size(found.bytes_unpacked)}, read in pieces of {chunk}"
        size = f"{found.pixel_size:.6g} {found.pixel_size_unit}" if found.pixel_size else "not given"
        yield f"pixel size {size}" + (f", values in {found.units}" if found.units else "")
    if found.channels:
        yield from _channels(found.channels, width)
    yield from _values(found)
    yield from _classes(found)
    yield from _rois(found)
    if found.contents:
        yield "images inside (choose one with dataset= or PATH:/NAME):"
        yield from (f"  {entry}" for entry in found.contents)
    yield from (f"note: {note}" for note in found.notes)


def _channels(channels: tuple[Channel, ...], width: int) -> Iterator[str]:
    modes = list(dict.fromkeys(channel.mode for channel in channels))
    if len(channels) <= _SHOWN:
        yield f"channels   {', '.join(channel.label for channel in channels)}"[:width]
        return
    shown = ", ".join(modes[:_SHOWN]) + (f" and {len(modes) - _SHOWN} more" if len(modes) > _SHOWN else "")
    yield f"channels   {len(channels)}; modes {shown}"[:width]
    for name in sorted({name for channel in channels for name in channel.numbers}):
        values = sorted({channel.numbers[name] for channel in channels if name in channel.numbers})
        yield f"           {name}: {len(values)} values from {values[0]:g} to {values[-1]:g}"


def _values(found: Inspection) -> Iterator[str]:
    statistics = found.statistics
    if statistics is None:
        return
    share = "all" if statistics.fraction >= 1 else f"{statistics.fraction:.2g} of all"
    yield f"values     {share} looked at ({statistics.looked_at})"
    if statistics.low is None or statistics.high is None or statistics.mean is None or statistics.sd is None:
        yield "           none is finite"
        return
    yield (
        f"           {statistics.low:.6g} to {statistics.high:.6g}, mean {statistics.mean:.6g}, sd {statistics.sd:.4g}"
    )
    yield "           " + ", ".join(f"{p:g} %: {v:.5g}" for p, v in statistics.percentiles.items())
    highest = max(statistics.histogram)
    bars = "".join(_BARS[-(-count * (len(_BARS) - 1) // highest)] for count in statistics.histogram)
    yield f"           {statistics.low:.4g} {bars} {statistics.high:.4g}"
    yield f"           NaN {statistics.nan}, infinite {statistics.infinite}, negative {statistics.negative}"


def _classes(found: Inspection) -> Iterator[str]:
    if not found.classes:
        return
    name_width = max(len(c.name) for c in found.classes)
    counted = "" if found.counted_fraction >= 1 else f" (counted in {found.counted_fraction:.2g} of the planes)"
    yield f"classes    {len(found.classes)}{counted}"
    for c in found.classes:
        yield f"  {c.number:3d} {c.name:<{name_width}} {c.colour} {c.pixels:>12d} px {c.percent:6.2f} %"
    yield f"  255 ignore, {found.ignored} px"


def _rois(found: Inspection) -> Iterator[str]:
    if not found.rois:
        return
    yield f"ROIs       {len(found.rois)}"
    for roi in found.rois:
        edges = ", ".join(f"{v:g}" for v in roi.bounds)
        yield f"  {roi.name}: {roi.kind}, class {roi.class_name or '?'}, left, top, right, bottom {edges}"
