"""Raw frames of an acquisition as files, as an instrument leaves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

from beamforge.files import atomic_path, write_json
from beamforge.progress import tracked
from beamforge.simulation.phantoms.infer import Acquisition


def write_raw(acquisition: Acquisition, folder: str | Path) -> None:
    """Write every raw frame as a 16-bit TIFF.

    The frames lie at ``{mode}/{autocorrelation_length}.tif`` with the modes ``sample_0``, ``sample_1``, … and
    ``open_beam_0``, … for the phase steps and lengths in nm; the dark frames at ``dark/{repeat}.tif``; the annotation
    at ``labels.tif``; steps, monitor counts and configuration in ``acquisition.json``. The frames of one length at a
    time are in memory.

    Parameters
    ----------
    acquisition
        What is measured.
    folder
        Where to write; it appears when everything is there, and replaces an older one.
    """
    config = acquisition.config
    monitors: dict[str, dict[str, list[float]]] = {"sample": {}, "open_beam": {}}
    with atomic_path(folder) as place:
        place.mkdir()
        _write_frames(place, "dark", {str(i): frame for i, frame in enumerate(acquisition.dark)})
        for position in tracked(range(config.lengths), "autocorrelation lengths"):
            measurement = acquisition.frames(position)
            length = f"{config.autocorrelation_lengths[position]:.2f}"
            for name, scan in (("sample", measurement.sample), ("open_beam", measurement.open_beam)):
                if scan is None:
                    continue
                monitors[name][length] = np.asarray(scan.monitor, dtype=np.float64).tolist()
                for step, frame in enumerate(np.asarray(scan.frames)):
                    _write_frames(place, f"{name}_{step}", {length: frame})
        tifffile.imwrite(place / "labels.tif", acquisition.labels.values, compression="zlib")
        description = {
            "simulated": True,
            "layout": acquisition.layout,
            "seed": acquisition.seed,
            "steps": config.nominal_steps.tolist(),
            "monitor": monitors,
            "classes": list(config.classes.names),
            "config": config.model_dump(mode="json"),
        }
        write_json(place / "acquisition.json", description)


def _write_frames(place: Path, mode: str, frames: dict[str, np.ndarray]) -> None:
    (place / mode).mkdir(exist_ok=True)
    for name, frame in frames.items():
        tifffile.imwrite(place / mode / f"{name}.tif", frame)
