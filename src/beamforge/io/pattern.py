"""File names that say what a channel is: ``scan/{mode}_{autocorrelation_length}nm.tif``."""

from __future__ import annotations

import glob
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from beamforge.errors import InputError

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RESERVED = ("x", "y", "channel")
_SHOWN = 20


@dataclass(frozen=True)
class Match:
    """A file and what its name says: the text of each placeholder, in the pattern's order."""

    path: Path
    texts: tuple[str, ...]


@dataclass(frozen=True)
class FileSet:
    """The files that fit a pattern, in the order of their channels."""

    names: tuple[str, ...]
    matches: tuple[Match, ...]

    def channel_fields(self, match: Match) -> dict[str, str | float]:
        """Give mode and numbers of one file."""
        return {n: t if n == "mode" else float(t) for n, t in zip(self.names, match.texts, strict=True)}


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which ``a2`` comes before ``a10``."""
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)


def is_pattern(path: str) -> bool:
    """Say whether a path has placeholders or wildcards and is not simply the name of a file."""
    return (bool(_PLACEHOLDER.search(path)) or any(c in path for c in "*?")) and not Path(path).exists()


def _expression(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    names: list[str] = []
    expression = ""
    for position, part in enumerate(_PLACEHOLDER.split(pattern)):
        if position % 2 == 0:
            literal = re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
            expression += literal
        elif not part.isidentifier() or part in _RESERVED:
            raise InputError(
                f"pattern {pattern!r}: {{{part}}} is no possible name of a channel coordinate; "
                "use {mode} for words and names such as {z} or {autocorrelation_length} for numbers"
            )
        elif part in names:
            expression += f"(?P={part})"
        else:
            names.append(part)
            expression += f"(?P<{part}>[^/]+?)" if part == "mode" else f"(?P<{part}>{_NUMBER})"
    return re.compile(expression), tuple(names)


def _wildcards(pattern: str) -> str:
    parts = _PLACEHOLDER.split(pattern)
    return "".join("*" if i % 2 else part.replace("[", "[[]") for i, part in enumerate(parts))


def find_files(pattern: str, *, allow_missing: bool = False) -> FileSet:
    """Find the files of a pattern.

    Parameters
    ----------
    pattern
        A path with placeholders: ``{mode}`` stands for any text, any other ``{name}`` for a number; ``*`` and ``?``
        stand for what does not matter.
    allow_missing
        Accept that combinations of the values found do not all exist.

    Raises
    ------
    InputError
        If nothing matches, two files say the same, or files of the full grid are missing (listed).
    """
    text = Path(pattern).as_posix()
    expression, names = _expression(text)
    found = sorted(Path(p).as_posix() for p in glob.glob(_wildcards(text)))
    matches = [
        Match(Path(path), tuple(fit.group(name) for name in names))
        for path in found
        if (fit := expression.fullmatch(path))
    ]
    if not matches:
        near = f"; near it are {', '.join(_near(text, found))}" if _near(text, found) else ""
        raise InputError(f"no file matches {pattern}{near}; {{mode}} takes text, other placeholders take numbers")
    if not names:
        return FileSet((), tuple(sorted(matches, key=lambda m: natural_key(m.path.as_posix()))))
    matches.sort(key=lambda m: tuple(_value_key(n, t) for n, t in zip(names, m.texts, strict=True)))
    _refuse_repeats(pattern, names, matches)
    if not allow_missing:
        _refuse_gaps(text, names, matches)
    return FileSet(names, tuple(matches))


def _near(pattern: str, found: Sequence[str]) -> list[str]:
    """Give a few files that almost match, or else stand in the folder."""
    if found:
        return [Path(path).name for path in found[:3]]
    folder = Path(_PLACEHOLDER.split(pattern)[0] + "_").parent
    names = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    return names[:3]


def _value_key(name: str, text: str) -> tuple[float, tuple[tuple[int, int, str], ...]]:
    return (0.0, natural_key(text)) if name == "mode" else (float(text), ())


def _refuse_repeats(pattern: str, names: Sequence[str], matches: Sequence[Match]) -> None:
    for one, other in itertools.pairwise(matches):
        if all(_value_key(n, a) == _value_key(n, b) for n, a, b in zip(names, one.texts, other.texts, strict=True)):
            raise InputError(f"{one.path} and {other.path} are the same channel of {pattern}; remove one of them")


def _refuse_gaps(pattern: str, names: Sequence[str], matches: Sequence[Match]) -> None:
    if len(names) == 1:
        missing = _gaps_in_count([m.texts[0] for m in matches]) if names[0] != "mode" else []
        expected: list[tuple[str, ...]] = [(text,) for text in missing]
    else:
        values = [list(dict.fromkeys(m.texts[i] for m in matches)) for i in range(len(names))]
        there = {tuple(_value_key(n, t) for n, t in zip(names, m.texts, strict=True)) for m in matches}
        full: dict[object, tuple[str, ...]] = {}
        for texts in itertools.product(*values):
            full.setdefault(tuple(_value_key(n, t) for n, t in zip(names, texts, strict=True)), texts)
        expected = [texts for key, texts in full.items() if key not in there]
    if expected:
        files = [_fill(pattern, dict(zip(names, texts, strict=True))) for texts in expected]
        more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
        raise InputError(
            f"{len(files)} files of {pattern} are missing: {', '.join(files[:_SHOWN])}{more}; get them, or pass "
            "allow_missing=True to go on without"
        )


def _gaps_in_count(texts: Sequence[str]) -> list[str]:
    """Find the numbers that a zero-padded count with one usual step leaves out; other numbers have no known gaps."""
    if (
        len(texts) < 5
        or not all(t.isdecimal() for t in texts)
        or len({len(t) for t in texts}) > 1
        or texts[0][0] != "0"
    ):
        return []
    numbers = [int(t) for t in texts]
    steps = Counter(b - a for a, b in itertools.pairwise(numbers))
    step, often = steps.most_common(1)[0]
    if often < 0.8 * (len(numbers) - 1) or any(s % step for s in steps):
        return []
    there = set(numbers)
    return [f"{n:0{len(texts[0])}d}" for n in range(numbers[0], numbers[-1], step) if n not in there]


def _fill(pattern: str, values: dict[str, str]) -> str:
    return Path(_PLACEHOLDER.sub(lambda m: values[m.group(1)], pattern)).name
