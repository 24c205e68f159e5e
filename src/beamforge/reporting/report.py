"""The report of a run: one HTML file that holds everything and asks nothing of the network."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from beamforge._version import __version__
from beamforge.errors import InputError
from beamforge.files import write_text
from beamforge.reporting.numbers import Interval, format_number, format_value
from beamforge.reporting.svg import inline_svg

_HASH_DIGITS = 12


@runtime_checkable
class Estimated(Protocol):
    """A value with the interval it was estimated to lie in, or None for that."""

    @property
    def value(self) -> float:
        """The figure."""
        ...

    @property
    def interval(self) -> Interval | None:
        """Its lower and upper end."""
        ...


Cell = str | float | Estimated | None
"""What a table holds: text, a number, a value with its interval, or nothing (a dash)."""


@dataclass(frozen=True)
class _Block:
    """A part of a section; `kind` names the template's macro that lays it out."""

    kind: str
    content: dict[str, Any]


@dataclass
class _Section:
    title: str
    anchor: str
    intro: str
    blocks: list[_Block] = field(default_factory=list)


class Report:
    """Builds a report section by section; every method returns the report, so that calls can be chained.

    Text is plain text: it is escaped, blank lines part paragraphs.

    Parameters
    ----------
    title
        Heading of the page.
    subtitle
        A line under it, such as the sample, the instrument and the date.
    """

    def __init__(self, title: str, subtitle: str = "") -> None:
        self.title = title
        self.subtitle = subtitle
        self._headline: dict[str, Any] | None = None
        self._sections: list[_Section] = []
        self._figures = 0
        self._tables = 0

    def headline(self, verdict: str, facts: Mapping[str, Cell] | None = None) -> Self:
        """Put a verdict of one or two sentences, and the figures it rests on, at the top of the page.

        Parameters
        ----------
        verdict
            What was measured and how well it went.
        facts
            A few figures by what they are.
        """
        shown = {name: format_cell(value) for name, value in (facts or {}).items()}
        self._headline = {"verdict": verdict, "facts": shown}
        return self

    def section(self, title: str, intro: str = "") -> Self:
        """Begin a section; what follows is put into it."""
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
        taken = sum(re.sub(r"-\d+$", "", section.anchor) == slug for section in self._sections)
        self._sections.append(_Section(title, f"{slug}-{taken + 1}" if taken else slug, intro))
        return self

    def text(self, text: str) -> Self:
        """Add paragraphs."""
        return self._add("text", text=text)

    def note(self, text: str) -> Self:
        """Add a remark that must not be overlooked, such as what fell short."""
        return self._add("note", text=text)

    def figure(self, figure: Figure, caption: str, alt: str, *, simulated: bool = False) -> Self:
        """Add a figure.

        Parameters
        ----------
        figure
            Drawn at once, so that it may be changed or dropped afterwards.
        caption
            What to see in it.
        alt
            The same for readers who cannot see it.
        simulated
            Whether pictures in it are simulated; the caption is then marked.

        Raises
        ------
        InputError
            If the alternative text is empty or no section has begun.
        """
        if not alt.strip():
            raise InputError(f"the figure {caption!r} has no alternative text; say in a sentence what it shows")
        self._figures += 1
        svg = inline_svg(figure, f"f{self._figures}", alt)
        return self._add("figure", svg=svg, caption=caption, simulated=simulated, number=self._figures)

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        caption: str = "",
        *,
        highlight: Collection[int] = (),
    ) -> Self:
        """Add a table; the first column names the rows.

        Parameters
        ----------
        header
            Names of the columns.
        rows
            Cells of each row; numbers are written with the digits their interval supports.
        caption
            What the table shows and where others' figures come from.
        highlight
            Numbers of the rows to set off, such as the one the headline is about.

        Raises
        ------
        InputError
            If a row has another number of cells than the header.
        """
        for row in rows:
            if len(row) != len(header):
                raise InputError(f"the table row {list(row)} has {len(row)} cells, the header has {len(header)}")
        self._tables += 1
        written = [[format_cell(cell) for cell in row] for row in rows]
        numeric = [all(not isinstance(row[i], str) for row in rows) for i in range(len(header))]
        return self._add(
            "table",
            header=list(header),
            rows=written,
            numeric=numeric,
            caption=caption,
            highlight=set(highlight),
            number=self._tables,
        )

    def facts(self, facts: Mapping[str, Cell]) -> Self:
        """Add a list of names and values."""
        return self._add("facts", facts={name: format_cell(value) for name, value in facts.items()})

    def listing(self, text: str, title: str) -> Self:
        """Add text in a fixed-width font, folded away under its title, such as a recipe."""
        return self._add("listing", text=text, title=title)

    def provenance(self, record: Mapping[str, Any], seconds: Mapping[str, float] | None = None) -> Self:
        """Add where the run comes from.

        Parameters
        ----------
        record
            As `beamforge.provenance.provenance` gives it.
        seconds
            How long each stage took, by its name.
        """
        rest = {k: v for k, v in record.items() if k not in ("inputs", "recipe") and v is not None}
        self.facts({name.replace("_", " "): _plain(value) for name, value in rest.items()})
        if record.get("inputs"):
            rows = [[path, digest[:_HASH_DIGITS]] for path, digest in record["inputs"].items()]
            self.table(["input", f"SHA-256, first {_HASH_DIGITS} digits"], rows, "What the run read.")
        if seconds:
            rows_of_times: list[list[Cell]] = [[stage, round(time, 1)] for stage, time in seconds.items()]
            self.table(["stage", "time (s)"], [*rows_of_times, ["total", round(sum(seconds.values()), 1)]], "Times.")
        if record.get("recipe"):
            self.listing(yaml.safe_dump(record["recipe"], sort_keys=False, allow_unicode=True), "The recipe")
        return self

    def html(self) -> str:
        """Lay the page out."""
        environment = Environment(
            loader=PackageLoader("beamforge.reporting"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["paragraphs"] = _paragraphs
        return environment.get_template("report.html.j2").render(
            title=self.title,
            subtitle=self.subtitle,
            headline=self._headline,
            sections=self._sections,
            version=__version__,
        )

    def write(self, path: str | Path) -> Path:
        """Write the page atomically as one UTF-8 file and say where it is."""
        write_text(path, self.html())
        return Path(path)

    def _add(self, kind: str, **content: Any) -> Self:
        if not self._sections:
            raise InputError(f"a {kind} was added before any section; begin one with .section(title)")
        self._sections[-1].blocks.append(_Block(kind, content))
        return self


def format_cell(cell: Cell) -> str:
    """Write what a cell holds: numbers with their interval, nothing as a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Estimated):
        # The line may break between value and interval, but not inside the brackets.
        return format_value(cell.value, cell.interval).replace(", ", ",\u00a0")
    return format_number(cell)


def _plain(value: Any) -> Cell:
    """Show a noted value: truths as words, integers such as seeds without thousands separators."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, float) else str(value)


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
