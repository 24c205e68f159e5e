"""A label volume measured into a folder."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import beamforge
from beamforge.errors import InputError
from beamforge.io import open_label_volume, open_label_writer
from beamforge.stack import Classes

CLASSES = Classes(names=("matrix", "precipitate", "inclusion"))


def write_volume(path: Path) -> np.ndarray:
    """Two balls, one of which flips in a slice."""
    z, y, x = np.mgrid[:20, :24, :28]
    labels = np.zeros(z.shape, np.uint8)
    labels[(z - 9) ** 2 + (y - 8) ** 2 + (x - 8) ** 2 <= 25] = 1
    labels[(z - 10) ** 2 + (y - 15) ** 2 + (x - 19) ** 2 <= 36] = 2
    flipped = labels[9].copy()
    labels[9][flipped == 1] = 2
    with open_label_writer(path, labels.shape, CLASSES, pixel_size=0.5) as writer:
        writer.write(labels, (0, 0, 0))
    labels[9] = flipped
    return labels


def test_tables_meshes_labels_and_report_after_a_vote(tmp_path: Path) -> None:
    mended = write_volume(tmp_path / "labels.tif")
    found = beamforge.volume(tmp_path / "labels.tif", tmp_path / "out", vote=True)
    assert found.changed == int((mended[9] == 1).sum())
    np.testing.assert_array_equal(open_label_volume(found.files["labels"]).values, mended)
    results = json.loads(found.files["results"].read_text())
    assert results["fractions"]["inclusion"] == pytest.approx((mended == 2).mean())
    assert results["unit"] == "µm"
    with found.files["particles"].open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["phase"] for row in rows] == ["precipitate", "inclusion"]
    assert float(rows[1]["equivalent_diameter"]) == pytest.approx(6.0, rel=0.03)
    assert found.files["precipitate stl"].stat().st_size > 84
    assert found.files["inclusion vtk"].read_bytes().startswith(b"# vtk DataFile")
    page = found.report.read_text()
    assert "surface per volume (1/µm)" in page
    assert "voted and changed" in page


def test_without_a_vote_the_flip_cuts_a_particle(tmp_path: Path) -> None:
    write_volume(tmp_path / "labels.zarr")
    found = beamforge.volume(tmp_path / "labels.zarr", tmp_path / "out")
    assert found.changed is None
    assert len(found.results.of("precipitate")) == 2


def test_bad_input_is_refused(tmp_path: Path) -> None:
    write_volume(tmp_path / "labels.tif")
    with pytest.raises(InputError, match="'matrx'; did you mean 'matrix'"):
        beamforge.volume(tmp_path / "labels.tif", tmp_path / "out", background="matrx")
    with open_label_writer(tmp_path / "one.tif", (5, 6), CLASSES) as writer:
        writer.write(np.zeros((5, 6), np.uint8), (0, 0))
    with pytest.raises(InputError, match="single slice"):
        beamforge.volume(tmp_path / "one.tif", tmp_path / "out")
    tifffile.imwrite(tmp_path / "grey.tif", np.full((4, 5, 6), 1200, np.uint16), photometric="minisblack")
    with pytest.raises(InputError, match=r"numbers from 1200 to 1200, expected class numbers.*intensities"):
        beamforge.volume(tmp_path / "grey.tif", tmp_path / "out")
