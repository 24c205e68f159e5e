"""The command-line application and how its verbs end: one clear line and an exit code a script can rely on."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from beamforge._version import __version__
from beamforge.errors import BeamforgeError, InputError

app = typer.Typer(
    name="beamforge",
    help="From one annotated measurement to a trained, honestly judged segmenter.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Register a function as the verb of its name, written with dashes.

    Exit codes: 2 for bad input, 1 for a failed run, 130 when the user interrupts.
    """

    @functools.wraps(function)
    def guarded(*arguments: Any, **options: Any) -> None:
        try:
            function(*arguments, **options)
        except InputError as error:
            _end(f"error: {error}", 2)
        except (BeamforgeError, OSError) as error:
            _end(f"failed: {error}", 1)
        except MemoryError as error:
            _end(f"failed: not enough memory ({error})", 1)
        except KeyboardInterrupt:
            _end("interrupted; what was finished is kept, the same command goes on from there", 130)

    app.command(function.__name__.replace("_", "-"))(guarded)
    return function


def _end(line: str, code: int) -> NoReturn:
    print(line, file=sys.stderr)
    raise typer.Exit(code)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"beamforge {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """From one annotated measurement to a trained, honestly judged segmenter."""
