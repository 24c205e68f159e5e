import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from beamforge.reporting.style import INK
from beamforge.reporting.svg import inline_svg, pack


def example(seed: int = 0) -> Figure:
    figure = Figure(figsize=(3, 2))
    first, second = figure.subplots(1, 2)
    first.plot([1, 2, 3], [1, 3, 2], color=INK)
    second.imshow(np.random.default_rng(seed).normal(size=(30, 30)), cmap="gray")
    return figure


def test_the_same_figure_gives_the_same_text() -> None:
    assert inline_svg(example(), "f1", "x") == inline_svg(example(), "f1", "x")


def test_it_is_one_well_formed_element_that_names_itself() -> None:
    root = ET.fromstring(inline_svg(example(), "f1", 'A line & a "picture" <here>'))
    assert root.tag.endswith("svg")
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'A line & a "picture" <here>'
    assert root.get("viewBox").startswith("0 0 ")


def test_two_figures_share_no_id_and_refer_to_their_own() -> None:
    texts = [inline_svg(example(), name, "x") for name in ("f1", "f2")]
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in texts]
    assert not ids[0] & ids[1]
    for text, own in zip(texts, ids, strict=True):
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)) != set()
        assert {a or b for a, b in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)} <= own


def test_style_colours_follow_the_page_and_styles_do_not_leak_into_it() -> None:
    text = inline_svg(example(), "f1", "x")
    assert "var(--ink)" in text
    assert INK not in text
    assert "<style" not in text


def test_pictures_are_webp() -> None:
    text = inline_svg(example(), "f1", "x")
    assert "image/png" not in text
    data = re.search(r"data:image/webp;base64,([^\"]+)", text)[1]
    assert Image.open(io.BytesIO(base64.b64decode(data))).format == "WEBP"


def test_masks_are_packed_exactly_and_noise_closely() -> None:
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 256, (8, 8, 3)).repeat(60, 0).repeat(60, 1).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(pack(Image.fromarray(mask))))), mask)
    grey = rng.normal(128, 25, (600, 600)).clip(0, 255).astype(np.uint8)
    packed = pack(Image.fromarray(grey).convert("RGB"))
    again = np.asarray(Image.open(io.BytesIO(packed)).convert("L"), dtype=float)
    assert len(packed) < grey.size * 0.7
    assert np.sqrt(np.mean((again - grey) ** 2)) < 6


def test_transparency_survives() -> None:
    picture = np.zeros((10, 10, 4), np.uint8)
    picture[:5] = 255
    again = np.asarray(Image.open(io.BytesIO(pack(Image.fromarray(picture)))))
    np.testing.assert_array_equal(again[..., 3], picture[..., 3])
