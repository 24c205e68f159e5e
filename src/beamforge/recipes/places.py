"""Where the files a recipe names are looked for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from beamforge.errors import InputError
from beamforge.io.pattern import is_pattern
from beamforge.io.stacks import split_inner


@dataclass(frozen=True)
class Places:
    """Folders in which relative paths start, in the order they are tried.

    Attributes
    ----------
    folder
        The recipe's ``folder`` setting.
    home
        The folder of the recipe's file; None for recipes that come with the package, whose files are looked for below
        the current folder, below ``BEAMFORGE_DATA``, and below ``../shared/data``.
    """

    folder: str | None
    home: str | None

    def candidates(self) -> list[Path]:
        """List the folders."""
        folder = Path(self.folder or "").expanduser()
        if folder.is_absolute():
            return [folder]
        if self.home is not None:
            return [Path(self.home) / folder]
        data = os.environ.get("BEAMFORGE_DATA")
        roots = [Path(), *([Path(data)] if data else []), Path("..") / "shared" / "data"]
        return [root / folder for root in roots]

    def start(self) -> Path:
        """Give the first of the folders that is there, or the first if none is."""
        candidates = self.candidates()
        return next((folder for folder in candidates if folder.is_dir()), candidates[0]).absolute()

    def find(self, path: str) -> str:
        """Give the path, or the pattern, of a file in the first folder that has it.

        Patterns with ``{placeholders}`` or an HDF5 data set after a colon are judged by the part that must exist.

        Raises
        ------
        InputError
            Naming every place that was tried.
        """
        given = Path(path).expanduser()
        tried = [given] if given.is_absolute() else [folder / given for folder in self.candidates()]
        for candidate in tried:
            if fixed_part(candidate).exists():
                return str(candidate)
        if given.is_absolute():
            raise InputError(f"{fixed_part(given)}: no such file or folder; check the path")
        places = " or ".join(str(fixed_part(candidate).absolute()) for candidate in tried)
        raise InputError(f"{path}: no such file; looked for {places}; set the recipe's `folder` to where the data are")


def fixed_part(path: Path) -> Path:
    """Give what must exist: of a pattern the folder before its first placeholder, of ``file.h5:/path`` the file."""
    if not is_pattern(str(path)):
        return split_inner(path)[0]
    before = re.split(r"[{*?]", str(path), maxsplit=1)[0]
    return Path(before) if before.endswith("/") else Path(before).parent
