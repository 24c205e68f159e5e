"""Recipes that group spectra, on the phantom and on a user's own stack."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import open_labels
from beamforge.recipes import load_recipe, run
from beamforge.recipes.clusterings.outcome import ClusteringOutcome
from beamforge.recipes.verbs import report as rewrite_report

SMALL: dict[str, Any] = {
    "kind": "clustering",
    "name": "small",
    "annotated": {
        "kind": "time_of_flight_phantom",
        "settings": {"size": 40, "bins": 24, "counts": 1000.0, "swelling": 0.03, "loss": 0.1},
    },
    "count": 6,
    "restarts": 2,
    "most": 4,
    "rows": {"k-means": {}, "mixture": {"method": "mixture"}, "silhouette": {"count": "silhouette", "bins": 2}},
    "crystals": {"ferrite": {"lattice_constant": 2.8665, "lattice": "bcc", "count": 2}},
}


def saved(folder: Path, **changes: Any) -> Path:
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ClusteringOutcome]:
    folder = tmp_path_factory.mktemp("clustering")
    outcome = run(load_recipe(saved(folder)), folder / "run")
    assert isinstance(outcome, ClusteringOutcome)
    return folder / "run", outcome


def test_k_means_finds_the_crystals_of_the_phantom(finished: tuple[Path, ClusteringOutcome]) -> None:
    scores = finished[1].scores()
    assert list(scores) == ["k-means", "mixture", "silhouette"]
    assert scores["k-means"]["accuracy"] > 0.9
    assert 2 <= scores["silhouette"]["clusters"] <= 4


def test_maps_and_spectra_are_left(finished: tuple[Path, ClusteringOutcome]) -> None:
    labels = open_labels(finished[1].files["labels, k-means"])
    assert labels.shape == (40, 40)
    assert labels.attrs["provenance"]["simulated"] is True
    assert len((finished[0] / "clusters" / "silhouette" / "centroids.csv").read_text().splitlines()) == 1 + 12


def test_the_report_shows_edges_and_can_be_written_again(finished: tuple[Path, ClusteringOutcome]) -> None:
    page = finished[1].report.read_text()
    for text in ("Results", "The spectra", "Clusters", "Provenance", "Mean spectrum of each class"):
        assert text in page
    finished[1].report.unlink()
    assert rewrite_report(finished[0]).read_text().count("<svg") == page.count("<svg")


def test_a_user_s_own_spectra_take_the_wavelengths_of_the_recipe(tmp_path: Path) -> None:
    rng = default_rng(1)
    spectra = np.array([[0.9, 0.8, 0.7], [0.3, 0.4, 0.6]], np.float32)[rng.integers(0, 2, (20, 20))]
    cube = np.moveaxis(spectra + rng.normal(0, 0.01, spectra.shape).astype(np.float32), -1, 0)
    cube[1, 3, 3] = np.nan
    tifffile.imwrite(tmp_path / "cube.tif", cube, photometric="minisblack")
    recipe = load_recipe(
        saved(tmp_path, rows={"k-means": {}}), ["annotated.stack=cube.tif", "count=2", "wavelengths=[2.0, 4.0]"]
    )
    outcome = run(recipe, tmp_path / "run")
    assert outcome.scores() == {"k-means": {"clusters": 2.0}}
    labels = open_labels(outcome.files["labels, k-means"]).values
    assert labels[3, 3] == 255
    page = outcome.report.read_text()
    assert "1 pixels lack a value" in page
    table = (tmp_path / "run" / "clusters" / "k-means" / "centroids.csv").read_text().splitlines()
    assert table[0].split(",")[2] == "wavelength"
    assert [float(line.split(",")[2]) for line in table[1:]] == [2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crystals": {"a": {"lattice_constant": 3, "lattice": "hcp"}}}, "primitive"),
        ({"wavelengths": [2.0, 2.0]}, "start and end at 2"),
        ({"rows": {}}, "rows"),
        ({"annotated": {"kind": "time_of_flight_phantom", "settings": {"shortest": 9}}}, "ascending"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_recipe(saved(tmp_path, **changes))


def test_more_clusters_than_pixels_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "cube.tif", np.ones((3, 2, 2), np.float32), photometric="minisblack")
    recipe = load_recipe(saved(tmp_path), ["annotated.stack=cube.tif"])
    with pytest.raises(InputError, match="6 clusters were asked for, but the stack has only 4 pixels"):
        run(recipe, tmp_path / "run")
