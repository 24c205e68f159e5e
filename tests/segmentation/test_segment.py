"""Tiled segmentation: equal to the whole image's, whatever the size, and nothing half written."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import tifffile
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.special import softmax
from skimage.io import imread

from beamforge.errors import BeamforgeError, InputError
from beamforge.segmentation import segment
from beamforge.segmentation.blending import blended_blocks
from beamforge.segmentation.quicklook import QuickLook
from beamforge.segmentation.segment import labels_of
from beamforge.segmentation.source import as_source
from beamforge.segmentation.tiling import Tiling
from beamforge.stack import IGNORE, Channel, as_stack
from contracts.predictors_for_tests import CLASSES, Conv, Nearest

TESTS = Path(__file__).parents[1]
H0_DF = (Channel(mode="H0"), Channel(mode="DF"))


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return default_rng(seed).normal(1, 0.8, shape).astype(np.float32)


def read(path: Path) -> np.ndarray:
    return tifffile.imread(path) if path.suffix == ".tif" else np.asarray(zarr.open_group(path, mode="r")["0"][...])


def whole(predictor: Conv, image: np.ndarray) -> np.ndarray:
    """What the predictor gives for the whole image at once, log-probabilities (class, y, x)."""
    height, width = image.shape[1:]
    beyond = [(0, -side % predictor.multiple) for side in (height, width)]
    padded = np.pad(image, [(0, 0), *beyond], mode="symmetric")
    return predictor.log_probabilities(padded[None])[0, :, :height, :width]


def run(predictor: object, stack: xr.DataArray, out: Path, **options: object) -> np.ndarray:
    segment(predictor, stack, out, **{"quicklook": False, "progress": False, **options})
    return read(out)


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([None, 16, 50, 97]), st.integers(1, 5))
def test_a_predictor_of_single_pixels_gives_the_same_tiled(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, tile: int | None, batch: int
) -> None:
    image = noise(1, height, width)
    expected = Nearest().log_probabilities(image[None])[0].argmax(0)
    out = tmp_path_factory.mktemp("labels") / "labels.tif"
    np.testing.assert_array_equal(run(Nearest(), as_stack(image), out, tile=tile, batch=batch), expected)


@pytest.mark.parametrize("size", [(403, 517), (96, 700), (401, 95), (31, 33), (5, 3)])
def test_tiled_equals_the_whole_image(tmp_path: Path, size: tuple[int, int]) -> None:
    image = noise(2, *size)
    labels = run(Conv(), as_stack(image, H0_DF), tmp_path / "labels.tif", tile=120)
    assert (labels == whole(Conv(), image).argmax(0)).mean() >= 0.9999


def test_a_halo_too_small_shows(tmp_path: Path) -> None:
    # The test above can fail: without the context the network reaches for, labels do differ.
    image = noise(2, 403, 517)
    labels = run(Conv(), as_stack(image, H0_DF), tmp_path / "labels.tif", tile=40, halo=0)
    assert (labels == whole(Conv(), image).argmax(0)).mean() < 0.999


@pytest.mark.parametrize("tile", [116, 200])
def test_probabilities_equal_those_of_the_whole_image(tmp_path: Path, tile: int) -> None:
    image = noise(2, 300, 250)
    stack = as_stack(image, H0_DF, pixel_size=48.0)
    result = segment(Conv(), stack, tmp_path / "labels.tif", tile=tile, probabilities=True, quicklook=False)
    stored = zarr.open_array(tmp_path / "labels.probabilities.zarr", mode="r")
    np.testing.assert_allclose(stored[...], softmax(whole(Conv(), image), axis=0), atol=1e-3)
    assert result.probabilities == tmp_path / "labels.probabilities.zarr"
    assert stored.attrs["classes"]["names"] == list(CLASSES.names)
    assert stored.attrs["pixel_size"] == 48.0


def test_neighbours_that_disagree_fade_into_each_other(tmp_path: Path) -> None:
    class Tilewise(Nearest):
        """Says how far right of its tile's left border a pixel lies, so that tiles disagree."""

        def log_probabilities(self, images: np.ndarray) -> np.ndarray:
            place = np.arange(images.shape[3], dtype=np.float32) / images.shape[3]
            row = np.stack([place, np.zeros_like(place), -place]) - 1
            return np.broadcast_to(row[None, :, None, :], (len(images), 3, *images.shape[2:])).astype(np.float32)

    stack = as_stack(noise(1, 40, 600))
    segment(Tilewise(halo=16), stack, tmp_path / "labels.tif", tile=150, probabilities=True, quicklook=False)
    ratio = np.log(np.asarray(zarr.open_array(tmp_path / "labels.probabilities.zarr", mode="r")[0:2, 20], np.float64))
    steps = np.abs(np.diff(ratio[0] - ratio[1]))
    # A hard seam would jump by about the 100 px between the starts of neighbours: 0.7 of a tile.
    assert steps.max() < 0.12


@pytest.mark.parametrize("lazy", ["numpy", "dask", "zarr"])
def test_volumes_of_stacks(tmp_path: Path, lazy: str) -> None:
    image = noise(3, 2, 290, 170)
    dims = ("z", "channel", "y", "x")
    data = da.from_array(image, chunks=(1, 1, 90, 70)) if lazy == "dask" else image
    volume = xr.DataArray(data, dims=dims, coords={"mode": ("channel", ["H0", "DF"])})
    if lazy == "zarr":
        group = zarr.create_group(tmp_path / "in.zarr")
        group.create_array("stack", data=image, chunks=(1, 1, 32, 32), dimension_names=dims)
        opened = xr.open_zarr(tmp_path / "in.zarr", chunks=None, consolidated=False)
        volume = opened["stack"].assign_coords(volume.coords)
    result = segment(Conv(), volume, tmp_path / "labels.zarr", tile=116, progress=False)
    labels = read(tmp_path / "labels.zarr")
    expected = np.stack([whole(Conv(), plane).argmax(0) for plane in image])
    assert (labels == expected).mean() >= 0.9999
    assert result.pixels == labels.size
    assert result.counts == dict(zip(CLASSES.names, np.bincount(labels.ravel(), minlength=3).tolist(), strict=True))


def test_volumes_of_one_channel(tmp_path: Path) -> None:
    image = noise(4, 30, 20)
    expected = Nearest().log_probabilities(image[:, None]).argmax(1)
    plain = xr.DataArray(image, dims=("z", "y", "x"))
    np.testing.assert_array_equal(run(Nearest(), plain, tmp_path / "a.tif"), expected)
    np.testing.assert_array_equal(run(Nearest(), as_stack(image), tmp_path / "b.tif"), expected)
    turned = xr.DataArray(image.transpose(2, 0, 1), dims=("x", "z", "y"))
    np.testing.assert_array_equal(run(Nearest(), turned, tmp_path / "c.tif"), expected)


def test_integers_are_taken_as_they_are(tmp_path: Path) -> None:
    counts = default_rng(1).integers(0, 3, (1, 40, 30)).astype(np.uint16)
    np.testing.assert_array_equal(run(Nearest(), as_stack(counts), tmp_path / "labels.tif"), counts[0])


def test_invalid_pixels_are_counted_and_ignored_if_wanted(tmp_path: Path) -> None:
    image = noise(2, 300, 200)
    image[0, 100:110, 150:160], image[1, 5, 5] = np.nan, np.inf
    bad = ~np.isfinite(image).all(axis=0)

    class Filling(Nearest):
        def log_probabilities(self, images: np.ndarray) -> np.ndarray:
            return super().log_probabilities(np.nan_to_num(images, nan=0.0, posinf=0.0))

    predictor, stack = Filling(channels=H0_DF), as_stack(image, H0_DF)
    result = segment(predictor, stack, tmp_path / "a.tif", tile=64, quicklook=False)
    assert (result.invalid, result.ignored) == (101, 0)
    result = segment(predictor, stack, tmp_path / "b.tif", tile=64, quicklook=False, invalid="ignore")
    assert (result.invalid, result.ignored) == (101, 101)
    np.testing.assert_array_equal(read(tmp_path / "b.tif") == IGNORE, bad)
    np.testing.assert_array_equal(read(tmp_path / "a.tif")[~bad], read(tmp_path / "b.tif")[~bad])


def test_pixels_without_a_possible_class_are_ignored(tmp_path: Path) -> None:
    class Undecided(Nearest):
        def log_probabilities(self, images: np.ndarray) -> np.ndarray:
            scores = super().log_probabilities(images)
            scores[:, :, 3, 4], scores[:, 1, 6, 7] = -np.inf, np.nan
            return scores

    labels = run(Undecided(), as_stack(noise(1, 20, 20)), tmp_path / "labels.tif")
    assert np.argwhere(labels == IGNORE).tolist() == [[3, 4], [6, 7]]


def test_classes_and_pixel_size_travel(tmp_path: Path) -> None:
    stack = as_stack(noise(2, 40, 30), H0_DF, pixel_size=48.0)
    segment(Conv(), stack, tmp_path / "labels.zarr", progress=False)
    attributes = dict(zarr.open_group(tmp_path / "labels.zarr", mode="r").attrs)
    scales = attributes["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"]
    assert scales == [48.0, 48.0]
    assert [entry["class"] for entry in attributes["ome"]["image-label"]["properties"]] == list(CLASSES.names)


@pytest.mark.parametrize(
    ("out", "picture"),
    [("a.tif", "a.png"), ("a.ome.zarr", "a.png"), ("scan.ome.zarr/labels/phases", "scan.phases.png")],
)
def test_the_quick_look_stands_beside(tmp_path: Path, out: str, picture: str) -> None:
    image = np.full((1, 300, 200), np.nan, np.float32)
    image[0, 50:150, 100:] = 2
    image[0, 150:, :] = 0
    result = segment(Nearest(), as_stack(image), tmp_path / out, invalid="ignore", progress=False)
    assert result.quicklook == tmp_path / picture
    colours = {tuple(c) for c in imread(result.quicklook)[..., :3].reshape(-1, 3).tolist()}
    # Air, quartz and ignored pixels are drawn; there is no water.
    rgb = [tuple(c) for c in CLASSES.rgb.tolist()]
    assert {rgb[0], rgb[2], (128, 128, 128)} <= colours


def test_the_quick_look_of_a_large_image_is_every_nth_pixel(tmp_path: Path) -> None:
    image = noise(1, 2100, 1300)
    source = as_source(as_stack(image), Nearest().channels)
    look = QuickLook(source.height, source.width)
    for block in blended_blocks(Nearest(), source, Tiling.choose(100, 0, 1)):
        look.see(block, labels_of(block))
    np.testing.assert_array_equal(look.image, image[0, ::3, ::3])
    np.testing.assert_array_equal(look.labels, Nearest().log_probabilities(image[None])[0].argmax(0)[::3, ::3])


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ([Channel(mode="H0")], r"has 1 channels \(H0\), the predictor was made for 2 \(H0, DF\)"),
        ([Channel(mode="DF"), Channel(mode="H0")], "channel 0 of the stack is 'DF', the predictor was made for 'H0'"),
    ],
)
def test_other_channels_are_refused(tmp_path: Path, channels: list[Channel], message: str) -> None:
    stack = as_stack(noise(len(channels), 40, 30), channels)
    with pytest.raises(InputError, match=message):
        segment(Conv(), stack, tmp_path / "labels.tif")
    assert list(tmp_path.iterdir()) == []


def test_coordinates_must_agree_but_not_exposure(tmp_path: Path) -> None:
    def at(length: float, exposure: float) -> tuple[Channel, ...]:
        return (Channel(mode="DF", autocorrelation_length=length, exposure=exposure),)

    predictor = Nearest(channels=at(100.0, 20.0))
    run(predictor, as_stack(noise(1, 9, 9), at(100.4, 60.0)), tmp_path / "labels.tif")
    with pytest.raises(InputError, match="is 'DF 120 nm 20 s', the predictor was made for 'DF 100 nm 20 s'"):
        run(predictor, as_stack(noise(1, 9, 9), at(120.0, 20.0)), tmp_path / "labels.tif")
    with pytest.raises(InputError, match="is 'DF', the predictor was made for 'DF 100 nm 20 s'"):
        run(predictor, as_stack(noise(1, 9, 9), [Channel(mode="DF")]), tmp_path / "labels.tif")


def test_impossible_inputs_are_refused(tmp_path: Path) -> None:
    image = as_stack(noise(1, 20, 20))
    with pytest.raises(InputError, match=r"dims \('row', 'column'\)"):
        segment(Nearest(), xr.DataArray(noise(4, 4), dims=("row", "column")), tmp_path / "a.tif")
    with pytest.raises(InputError, match="no pixels"):
        segment(Nearest(), as_stack(noise(1, 0, 20)), tmp_path / "a.tif")
    with pytest.raises(InputError, match="batch is 0"):
        segment(Nearest(), image, tmp_path / "a.tif", batch=0)
    with pytest.raises(InputError, match="too small for a halo of 50 px"):
        segment(Nearest(halo=50), image, tmp_path / "a.tif", tile=64)
    with pytest.raises(InputError, match=r"labels are written block by block to \.tif or \.zarr"):
        segment(Nearest(), image, tmp_path / "a.bmp")
    assert list(tmp_path.iterdir()) == []


def test_a_predictor_that_breaks_its_word_is_named(tmp_path: Path) -> None:
    class Short(Nearest):
        def log_probabilities(self, images: np.ndarray) -> np.ndarray:
            return super().log_probabilities(images)[:, :2]

    with pytest.raises(BeamforgeError, match=r"Short gave log-probabilities of shape \(1, 2, 20, 20\)"):
        segment(Short(), as_stack(noise(1, 20, 20)), tmp_path / "a.tif", progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_keeps_the_old_labels(tmp_path: Path) -> None:
    out = tmp_path / "labels.tif"
    before = run(Nearest(), as_stack(noise(1, 200, 100)), out)

    class Failing(Nearest):
        def log_probabilities(self, images: np.ndarray) -> np.ndarray:
            if np.isnan(images).any():
                raise OSError(28, os.strerror(28))
            return super().log_probabilities(images)

    image = noise(1, 200, 100, seed=2)
    image[0, 190, 90] = np.nan
    with pytest.raises(BeamforgeError, match="the disk is full"):
        run(Failing(), as_stack(image), out, tile=32, probabilities=True)
    np.testing.assert_array_equal(read(out), before)
    assert [path.name for path in tmp_path.iterdir()] == ["labels.tif"]


INTERRUPTED = """
import signal, sys, time
sys.path.insert(0, sys.argv[1])
# Where a shell started the tests in the background, the signal would be ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np
from beamforge.segmentation import segment
from beamforge.stack import as_stack
from contracts.predictors_for_tests import Nearest

class Slow(Nearest):
    def log_probabilities(self, images):
        print("predicting", flush=True)
        time.sleep(0.2)
        return super().log_probabilities(images)

segment(Slow(), as_stack(np.zeros((1, 4000, 100), np.float32)), sys.argv[2], tile=64, probabilities=True)
"""


def test_ctrl_c_leaves_no_half_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(TESTS), str(tmp_path / "labels.zarr")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline() == "predicting\n"
    assert any(tmp_path.iterdir())
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert list(tmp_path.iterdir()) == []


MEMORY = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import dask.array as da, numpy as np, zarr
from beamforge.segmentation import segment
from beamforge.stack import Channel, as_stack
from contracts.predictors_for_tests import Nearest

class Cheap(Nearest):
    def log_probabilities(self, images):
        return np.repeat(-images[:, :1], 3, axis=1)

side = int(sys.argv[3])
shape, chunks = (3, side, side), (3, 512, 512)
array = zarr.create_array(sys.argv[2] + "/in.zarr", shape=shape, chunks=chunks, dtype="f4", fill_value=1)
stack = as_stack(da.from_zarr(array), [Channel()] * 3)
predictor = Cheap(channels=(Channel(),) * 3, halo=16)
result = segment(predictor, stack, sys.argv[2] + "/labels.tif", tile=512, batch=1)
print(result.pixels, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_stays_flat_while_the_stack_grows_100_times(tmp_path: Path) -> None:
    peaks = []
    for side in (1000, 10_000):
        (tmp_path / str(side)).mkdir()
        command = [sys.executable, "-c", MEMORY, str(TESTS), str(tmp_path / str(side)), str(side)]
        pixels, peak = map(int, subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())
        assert pixels == side**2
        peaks.append(peak)
    # The larger stack takes 1200 MB, its labels alone 100 MB.
    assert peaks[1] < peaks[0] + 40, f"peak memory in MB: {peaks}"
