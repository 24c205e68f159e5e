"""Claims: every figure the documentation rests on, written by the command that measured it.

A claim is one file ``docs/results/ID.json``; ``python -m beamforge.reporting.claims`` writes ``docs/results.md`` from
all of them, with the paper's or the peer's figure beside ours and what fell short in a section of its own.
"""

from __future__ import annotations

import operator
import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, NonNegativeFloat, ValidationError, model_validator

from beamforge._version import __version__
from beamforge.errors import InputError
from beamforge.files import read_json, write_json, write_text
from beamforge.reporting.numbers import format_number, format_value

FOLDER = "docs/results"

_COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_TARGET = re.compile(r"(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")

NonEmpty = Annotated[str, Field(min_length=1)]


class Claim(BaseModel):
    """A measured figure and how it came about.

    Attributes
    ----------
    id
        Name of the claim and its file: lower-case words joined by hyphens.
    claim
        What the figure is, in words.
    value, interval, unit
        The figure and, where it was estimated, its interval; ``unit`` is empty for a pure number.
    command, seconds
        What to run to measure it again, and how long that took.
    machine
        Processor, cores and memory.
    version
        Of beamforge.
    peer
        The figure to compare with and whose it is: text, a number in the same unit, or named numbers and texts.
    note
        What a reader should know before trusting the figure.
    target, met
        What the figure has to reach, such as ``>= 0.955``, and whether it does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    claim: NonEmpty
    value: FiniteFloat
    interval: tuple[FiniteFloat, FiniteFloat] | None = None
    unit: str
    command: NonEmpty
    seconds: NonNegativeFloat
    machine: dict[str, str | int | float]
    version: str
    peer: FiniteFloat | str | dict[str, FiniteFloat | str] | None = None
    note: str | None = None
    target: str | None = None
    met: bool | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.interval is not None and self.interval[0] > self.interval[1]:
            raise ValueError(f"interval {self.interval}: the lower end comes first")
        if self.target is None:
            return self
        match = _TARGET.fullmatch(self.target)
        if match is None:
            raise ValueError(f"target {self.target!r}: expected a comparison with a number, such as '>= 0.955'")
        object.__setattr__(self, "met", _COMPARISONS[match[1]](self.value, float(match[2])))
        return self


def record(
    id: str,
    claim: str,
    value: float,
    *,
    interval: Sequence[float] | None = None,
    unit: str,
    command: str,
    seconds: float,
    peer: float | str | Mapping[str, float | str] | None = None,
    note: str | None = None,
    target: str | None = None,
    folder: str | Path = FOLDER,
) -> Path:
    """Write a measured figure to ``FOLDER/ID.json``, replacing what an earlier run found.

    Parameters
    ----------
    id, claim, value, interval, unit, command, seconds, peer, note, target
        See `Claim`.
    folder
        Where the claims are.

    Returns
    -------
    path
        The file written.

    Raises
    ------
    InputError
        Naming what is wrong with the claim.
    """
    given = {
        "id": id,
        "claim": claim,
        "value": float(value),
        "interval": None if interval is None else [float(end) for end in interval],
        "unit": unit,
        "command": command,
        "seconds": round(float(seconds), 3),
        "machine": machine(),
        "version": __version__,
        "peer": peer,
        "note": note,
        "target": target,
    }
    path = Path(folder) / f"{id}.json"
    write_json(path, _validated(given, f"claim {id!r}").model_dump(mode="json"))
    return path


def machine() -> dict[str, str | int | float]:
    """Describe the machine: processor model, usable cores, memory in GiB and, where one is in use, the accelerator."""
    about: dict[str, str | int | float] = {"processor": _processor(), "cores": _cores()}
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        about["memory_gib"] = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
    # A command that has not imported torch has not used an accelerator either.
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        about["accelerator"] = torch.cuda.get_device_name()
    return about


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        match = re.search(r"^model name\s*:\s*(.+)$", listing.read_text(encoding="utf-8"), re.MULTILINE)
        if match:
            return match[1].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _validated(content: Any, source: str) -> Claim:
    try:
        return Claim.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}".lstrip(": ") for p in error.errors())
        raise InputError(f"{source}: {problems}") from error


def read_claims(folder: str | Path = FOLDER) -> tuple[Claim, ...]:
    """Read all claims of a folder, sorted by id.

    Raises
    ------
    InputError
        If a file is not a claim, or is named otherwise than its claim.
    """
    claims = []
    for path in sorted(Path(folder).glob("*.json")):
        claim = _validated(read_json(path), str(path))
        if claim.id != path.stem:
            raise InputError(f"{path} holds the claim {claim.id!r}; name the file {claim.id}.json")
        claims.append(claim)
    return tuple(claims)


def render(claims: Sequence[Claim]) -> str:
    """Write the page of all claims as Markdown; the same claims give the same text."""
    parts = [
        "# Results",
        "Every figure here was written by the command beside it (`beamforge.reporting.claims`); this page is generated "
        "by `python -m beamforge.reporting.claims`. Brackets hold the interval of an estimated figure.",
        _claims_table(claims) if claims else "No figure has been measured yet.",
        "## What fell short",
        _fell_short(claims),
    ]
    if any(claim.note for claim in claims):
        parts += ["## Notes", "\n".join(f"- `{c.id}`: {_plain(c.note)}" for c in claims if c.note)]
    if claims:
        parts += ["## Where and when", _origin_table(claims)]
    return "\n\n".join(parts) + "\n"


def _claims_table(claims: Sequence[Claim]) -> str:
    head = "| id | what | ours | target | paper or peer | command |\n|---|---|---|---|---|---|"
    rows = [
        f"| `{c.id}` | {_cell(c.claim)} | {_cell(ours(c))} | {_cell(_target(c))} | {_cell(theirs(c))} "
        f"| `{_cell(c.command)}` |"
        for c in claims
    ]
    return "\n".join([head, *rows])


def _origin_table(claims: Sequence[Claim]) -> str:
    head = "| id | seconds | beamforge | machine |\n|---|---|---|---|"
    rows = [f"| `{c.id}` | {format_number(c.seconds, 3)} | {c.version} | {_cell(_machine(c))} |" for c in claims]
    return "\n".join([head, *rows])


def _fell_short(claims: Sequence[Claim]) -> str:
    short = [c for c in claims if c.met is False]
    if not short:
        return "No figure with a target missed it."
    return "\n".join(f"- `{c.id}`: {_plain(c.claim)}: {ours(c)}, target {_target(c)}." for c in short)


def ours(claim: Claim) -> str:
    """Our figure with its interval and unit."""
    return format_value(claim.value, claim.interval, claim.unit)


def theirs(claim: Claim) -> str:
    """The paper's or the peer's figure, or a dash."""
    if claim.peer is None:
        return "–"
    if isinstance(claim.peer, str):
        return claim.peer
    if isinstance(claim.peer, float):
        return format_value(claim.peer, unit=claim.unit)
    texts = (format_number(v) if isinstance(v, float) else v for v in claim.peer.values())
    return ", ".join(f"{name} {text}" for name, text in zip(claim.peer, texts, strict=True))


def _target(claim: Claim) -> str:
    if claim.target is None:
        return "–"
    text = claim.target.replace(">=", "≥").replace("<=", "≤")
    return f"{text} ({'met' if claim.met else 'missed'})"


def _machine(claim: Claim) -> str:
    about = dict(claim.machine)
    parts = [str(about.pop("processor", "")), f"{about.pop('cores', '?')} cores"]
    if "memory_gib" in about:
        parts.append(f"{about.pop('memory_gib')} GiB")
    return ", ".join([*filter(None, parts), *map(str, about.values())])


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def page_of(folder: str | Path) -> Path:
    """Say where the page of a folder of claims is: beside the folder, ``.md`` added to its name."""
    folder = Path(folder)
    return folder.with_name(f"{folder.name}.md")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page of the folder given as the only argument, by default ``docs/results``."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    folder = Path(given[0] if given else FOLDER)
    claims = read_claims(folder)
    page = page_of(folder)
    write_text(page, render(claims))
    short = sum(claim.met is False for claim in claims)
    sys.stdout.write(f"{page}: {len(claims)} claims, {short} fell short\n")


if __name__ == "__main__":
    main()
