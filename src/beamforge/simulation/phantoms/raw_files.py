"""Raw frames of an acquisition as files, as an instrument leaves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile

from beamforge.files import atomic_path, write_json
from beamforge.io import save_labels
from beamforge.progress import tracked
from beamforge.simulation.phantoms.infer import Acquisition


def write_raw(acquisition: Acquisition, folder: str | Path) -> None:
    """Write every raw frame as a 16-bit TIFF.

    The frames lie at ``{mode}/{autocorrelation_length}.tif`` with the modes ``sample_0``, ``sample_1``, … and
    ``open_beam_0``, … for the phase steps and lengths in nm, as `beamforge.io.open_stack` reads them; the dark frames
    at ``dark_0.tif``, …; the annotation at ``labels.tif``; steps, monitor counts and configuration in
    ``acquisition.json``. The frames of one length at a time are in memory.

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
        for repeat, frame in enumerate(acquisition.dark):
            tifffile.imwrite(place / f"dark_{repeat}.tif", frame)
        for position in tracked(range(config.lengths), "autocorrelation lengths"):
            measurement = acquisition.frames(position)
            length = f"{config.autocorrelation_lengths[position]:.2f}"
            for name, scan in (("sample", measurement.sample), ("open_beam", measurement.open_beam)):
                if scan is None:
                    continue
                monitors[name][length] = np.asarray(scan.monitor, dtype=np.float64).tolist()
                for step, frame in enumerate(np.asarray(scan.frames)):
                    (place / f"{name}_{step}").mkdir(exist_ok=True)
                    tifffile.imwrite(place / f"{name}_{step}" / f"{length}.tif", frame)
        save_labels(place / "labels.tif", acquisition.labels)
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
