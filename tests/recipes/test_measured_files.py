"""Measurements as recipes name them: masks that need a legend, raw frames in files, and what counts as an input."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.random import default_rng
from PIL import Image

from beamforge.errors import InputError
from beamforge.io import save_labels
from beamforge.recipes import verbs
from beamforge.recipes.fingerprint import files_of
from beamforge.recipes.measurements import FilesMeasurement, FringesMeasurement
from beamforge.recipes.places import Places
from beamforge.reduction import FringeMeasurement, PhaseScan, reduce_fringes
from beamforge.simulation.phantoms.infer import Acquisition
from beamforge.simulation.phantoms.infer_config import InferPhantom
from beamforge.simulation.phantoms.raw_files import write_raw
from beamforge.stack import as_labels

RNG = default_rng(0)
TRUTH = np.repeat(np.array([[0, 1]], np.uint8), 20, axis=0).repeat(20, axis=1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    image = (TRUTH + default_rng(1).normal(0.0, 0.1, (2, 20, 40))).astype(np.float32)
    tifffile.imwrite(tmp_path / "stack.tif", image, photometric="minisblack")
    Image.fromarray(TRUTH * 255).save(tmp_path / "mask.png")
    return tmp_path


def test_a_black_and_white_mask_is_read_with_the_recipes_legend(place: Path) -> None:
    legend = {0: "background", 255: "crack"}
    source = FilesMeasurement(stack="stack.tif", labels="mask.png", legend=legend, pixel_size=43.99)
    # As a run writes it down and reads it again.
    source = FilesMeasurement.model_validate(source.model_dump(mode="json"))
    measured = source.load(Places(None, str(place)), RNG)
    np.testing.assert_array_equal(measured.labels, TRUTH)
    assert measured.labels.attrs["class_names"] == ["background", "crack"]
    assert measured.stack.attrs["pixel_size"] == measured.labels.attrs["pixel_size"] == 43.99


def test_an_unseen_mask_means_what_the_annotated_one_does(place: Path) -> None:
    places = Places(None, str(place))
    legend = {0: "background", 255: "crack"}
    annotated = FilesMeasurement(stack="stack.tif", labels="mask.png", legend=legend)
    labels = annotated.load(places, RNG).labels
    Image.fromarray(np.zeros_like(TRUTH)).save(place / "no_crack.png")
    unseen = FilesMeasurement(stack="stack.tif", labels="no_crack.png").like(annotated, labels, places)
    found = unseen.load(places, RNG).labels
    assert found.attrs["class_names"] == ["background", "crack"]
    assert not found.values.any()


def test_a_legend_of_ones_own_is_kept(place: Path) -> None:
    places = Places(None, str(place))
    annotated = FilesMeasurement(stack="stack.tif", labels="mask.png", legend={0: "background", 255: "crack"})
    own = FilesMeasurement(stack="stack.tif", labels="mask.png", legend={255: "background", 0: "crack"})
    assert own.like(annotated, annotated.load(places, RNG).labels, places) == own


def test_labels_of_other_classes_are_not_judged_by_their_numbers(place: Path) -> None:
    tifffile.imwrite(place / "numbers.tif", TRUTH)
    verbs.fit(place / "stack.tif", place / "numbers.tif", place / "model.json", classes=["air", "water"])
    save_labels(place / "swapped.tif", as_labels(1 - TRUTH, ["water", "air"]))
    with pytest.raises(InputError, match="has the classes water, air, the model air, water"):
        verbs.evaluate(place / "model.json", place / "stack.tif", place / "swapped.tif")
    with pytest.raises(InputError, match="holds only 0 and 255"):
        verbs.evaluate(place / "model.json", place / "stack.tif", place / "mask.png")
    scores = verbs.evaluate(
        place / "model.json", place / "stack.tif", place / "mask.png", tile=20, legend={0: "air", 255: "water"}
    )
    assert scores.pixel_accuracy.value > 0.99


def test_inputs_are_the_files_that_are_read_and_no_others(tmp_path: Path) -> None:
    for name in ("H0_1.tif", "H0_2.tif", "notes.txt", "runs/events.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    both = [tmp_path / "H0_1.tif", tmp_path / "H0_2.tif"]
    assert files_of(str(tmp_path / "{mode}_{z}.tif")) == both
    assert files_of(str(tmp_path / "*_2.tif")) == both[1:]
    assert files_of(str(tmp_path)) == both
    assert Places(None, str(tmp_path)).find("*.tif") == str(tmp_path / "*.tif")


@pytest.fixture(scope="module")
def acquisition() -> Acquisition:
    return Acquisition(InferPhantom(size=128, lengths=2, longest=1200.0), "annotated", 3)


@pytest.fixture(scope="module")
def raw(acquisition: Acquisition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("acquisition") / "raw"
    write_raw(acquisition, folder)
    return folder


def test_raw_frames_in_files_are_reduced_like_those_in_memory(acquisition: Acquisition, raw: Path) -> None:
    steps = tuple(acquisition.config.nominal_steps.tolist())
    scan = {
        "sample": "raw/sample_{phase_step}/{autocorrelation_length}.tif",
        "open_beam": "raw/open_beam_{phase_step}/{autocorrelation_length}.tif",
        "steps": steps,
    }
    settings = {"kind": "fringes", "scans": [scan], "dark": "raw/dark_{z}.tif", "labels": "raw/labels.tif"}
    measured = FringesMeasurement.model_validate(settings).load(Places(None, str(raw.parent)), RNG)
    lengths = acquisition.config.autocorrelation_lengths
    for position, length in enumerate(lengths):
        frames = acquisition.frames(position)
        assert frames.open_beam is not None
        beam = PhaseScan(frames.open_beam.frames, steps)
        expected = reduce_fringes(FringeMeasurement(PhaseScan(frames.sample.frames, steps), beam, acquisition.dark))
        np.testing.assert_array_equal(measured.stack[3 * position : 3 * position + 3], expected)
        np.testing.assert_allclose(measured.stack["autocorrelation_length"][3 * position], length, atol=0.005)
    np.testing.assert_array_equal(measured.labels, acquisition.labels)


def test_frames_of_one_file_need_their_length(raw: Path) -> None:
    def load(**scan: object) -> None:
        settings = {"kind": "fringes", "scans": [scan], "labels": "raw/labels.tif"}
        FringesMeasurement.model_validate(settings).load(Places(None, str(raw.parent)), RNG)

    first = sorted((raw / "sample_0").iterdir())[0]
    frames = np.stack([tifffile.imread(raw / f"sample_{step}" / first.name) for step in range(5)])
    tifffile.imwrite(raw / "scan.tif", frames, photometric="minisblack")
    load(sample="raw/scan.tif", autocorrelation_length=120.0)
    with pytest.raises(InputError, match=r"autocorrelation_length of raw/scan\.tif is not known"):
        load(sample="raw/scan.tif")
    for step in range(5):
        (raw / f"beam_{step}").mkdir()
        shutil.copy(raw / f"open_beam_{step}" / first.name, raw / f"beam_{step}")
    with pytest.raises(InputError, match="no open beam of"):
        load(
            sample="raw/sample_{phase_step}/{autocorrelation_length}.tif",
            open_beam="raw/beam_{phase_step}/{autocorrelation_length}.tif",
        )
