"""Figures as SVG that lives inside a page and takes on its colours.

Text and lines stay sharp at any size; colours of the style become CSS variables, so that one figure serves light and
dark pages; pictures inside are packed as WebP, which noisy grey levels need most.
"""

from __future__ import annotations

import base64
import io
import re

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.figure import Figure
from PIL import Image

from beamforge.reporting.style import GRID, INK, MUTED

VARIABLES = {INK: "--ink", MUTED: "--muted", GRID: "--grid"}
"""CSS variables that take the place of the style's colours."""

PIXELS_PER_INCH = 160
"""Resolution of pictures inside a figure; shapes and text have none."""

_LOSSLESS_BYTES = 60_000
_QUALITY = 88
_PNG = re.compile(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)")
_LONG_DECIMALS = re.compile(r"(-?\d+\.\d{2})\d+")
_STYLE = re.compile(r"<style.*?</style>\s*", re.DOTALL)
_PATH = re.compile(r' d="[^"]+"')
_NAMES = re.compile(r'(\bid="|xlink:href="#|href="#|url\(#)')


def inline_svg(figure: Figure, name: str, alt: str) -> Markup:
    """Draw a figure as an SVG element for an HTML page.

    Parameters
    ----------
    figure
        Any figure; its ground is left transparent.
    name
        Prefix of the ids inside, which must differ between the figures of one page.
    alt
        What the figure shows, for readers who cannot see it.

    Returns
    -------
    svg
        The element, safe to put into a page.
    """
    stream = io.StringIO()
    # A fixed salt makes the ids, and so the whole page, the same on every run.
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(
            stream,
            format="svg",
            dpi=PIXELS_PER_INCH,
            facecolor="none",
            bbox_inches="tight",
            pad_inches=0.04,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = _STYLE.sub("", text)
    text = _PNG.sub(_as_webp, text)
    text = _PATH.sub(lambda match: _LONG_DECIMALS.sub(r"\1", match[0]), text)
    text = _NAMES.sub(rf"\g<1>{name}-", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    width, height = _size(text)
    head = f'<svg role="img" aria-label="{escape(alt)}" viewBox="0 0 {width:g} {height:g}" style="--width: {width:g}"'
    body = text[text.index(">") + 1 :]
    return Markup(f'{head} xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{body}')  # noqa: S704


def _size(svg: str) -> tuple[float, float]:
    """Read the width and height of the drawing, in pt."""
    match = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if match is None:
        raise ValueError("the SVG has no viewBox")
    return float(match[1]), float(match[2])


def _as_webp(match: re.Match[str]) -> str:
    packed = pack(Image.open(io.BytesIO(base64.b64decode(match[1]))))
    return "data:image/webp;base64," + base64.b64encode(packed).decode()


def pack(picture: Image.Image) -> bytes:
    """Encode a picture as WebP: exactly where that is small, as with masks and maps, else visually the same."""
    opaque = picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255)
    picture = picture.convert("RGB") if opaque else picture
    stream = io.BytesIO()
    picture.save(stream, "WEBP", lossless=True, quality=60, method=4)
    if len(stream.getvalue()) > _LOSSLESS_BYTES:
        stream = io.BytesIO()
        picture.save(stream, "WEBP", quality=_QUALITY, method=4)
    return stream.getvalue()
