import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from beamforge.errors import InputError
from beamforge.provenance import provenance
from beamforge.reporting.figures import Score
from beamforge.reporting.report import Report, format_cell

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Collects what the page holds, and fails on tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.cells: list[list[str]] = []
        self.tags: set[str] = set()
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.add(tag)
        if "id" in values:
            self.ids.append(values["id"])
        for name in ("href", "src", "xlink:href"):
            if name in values:
                self.links.append(values[name])
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1][-1] += data


def picture() -> Figure:
    figure = Figure(figsize=(3, 2))
    figure.subplots().imshow(np.random.default_rng(0).normal(size=(30, 30)))
    return figure


def example() -> Report:
    return (
        Report("Nine cuvettes", "Demo phantom")
        .headline("It works.\n\nMostly.", {"Dice": Score("", 0.953, (0.948, 0.957))})
        .section("The measurement", "What was measured.")
        .figure(picture(), "The first channel.", "A grey-scale image of cuvettes")
        .section("Results")
        .table(
            ["generator", "Dice", "paper"],
            [["correlated", Score("", 0.953, (0.948, 0.957)), None], ["i.i.d.", 0.851, "0.8572"]],
            "Dice on measured tiles.",
            highlight=[0],
        )
        .figure(picture(), "A simulated tile.", "A simulated image", simulated=True)
        .note("Thick steps are confused.")
        .section("Provenance")
        .provenance(provenance(simulated=True, seed=70_000, recipe={"training": {"epochs": 3}}), {"fit": 1.25})
    )


def test_nothing_is_asked_of_the_network() -> None:
    text = example().html()
    page = Page(text)
    assert all(link.startswith(("#", "data:image/")) for link in page.links)
    assert not page.tags & {"script", "link", "iframe", "object"}
    assert "default-src 'none'" in text
    assert not re.findall(r"url\((?!#)|@import", text)


def test_ids_are_unique_and_every_link_has_its_place() -> None:
    page = Page(example().html())
    assert len(page.ids) == len(set(page.ids))
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    assert {"summary", "the-measurement", "results", "provenance"} <= inside


def test_tables_show_values_with_their_intervals() -> None:
    rows = Page(example().html()).cells
    assert rows[0] == ["generator", "Dice", "paper"]
    assert rows[1] == ["correlated", "0.953 [0.948,\u00a00.957]", "–"]
    assert rows[2] == ["i.i.d.", "0.851", "0.8572"]


def test_only_simulated_pictures_are_marked() -> None:
    figures = re.findall(r'<figure id="figure-\d+">.*?</figure>', example().html(), re.DOTALL)
    assert ["contains simulated data" in figure for figure in figures] == [False, True]


def test_text_is_escaped() -> None:
    text = Report("<script>alert(1)</script>").section("a & b").text("x < y").listing("<b>", "<i>").html()
    assert "<script" not in text
    assert "x &lt; y" in text
    assert "&lt;b&gt;" in text


def test_provenance_is_readable() -> None:
    text = example().html()
    assert "epochs: 3" in text
    assert "<dd>70000</dd>" in text
    assert ["fit", "1.2"] in Page(text).cells or ["fit", "1.3"] in Page(text).cells
    assert "<dt>simulated</dt><dd>yes</dd>" in text


def test_the_same_report_is_the_same_file(tmp_path: Path) -> None:
    def report() -> Report:
        return Report("x").section("a").figure(picture(), "b", "c")

    first, second = report().write(tmp_path / "1.html"), report().write(tmp_path / "2.html")
    assert first.read_bytes() == second.read_bytes()


def test_sections_of_one_name_have_their_own_anchors() -> None:
    page = Page(Report("x").section("Results").section("Results").section("Ergebnis: 100 %").html())
    assert {"results", "results-2", "ergebnis-100"} <= set(page.ids)


def test_both_themes_define_the_same_colours() -> None:
    text = example().html()
    light, dark = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    used = set(re.findall(r"var\((--[a-z-]+)\)", text)) - {"--width", "--fixed"}
    for theme in (light, dark):
        assert used <= set(re.findall(r"(--[a-z-]+):", theme))


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="before any section"):
        Report("x").text("y")
    with pytest.raises(InputError, match="alternative text"):
        Report("x").section("a").figure(picture(), "caption", " ")
    with pytest.raises(InputError, match="2 cells"):
        Report("x").section("a").table(["one"], [["a", "b"]])


def test_cells() -> None:
    assert [format_cell(cell) for cell in (None, "a", 0.5, 3)] == ["–", "a", "0.5", "3"]
