import threading
import tracemalloc

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import BeamforgeError, InputError
from beamforge.io import open_label_writer
from beamforge.stack import Classes

CLASSES = Classes(names=("water", "sand", "air"), colours=("#0000ff", "#ffcc00", "#ffffff"))


def read(path):
    return tifffile.imread(path) if path.suffix == ".tif" else zarr.open_group(path, mode="r")["0"][:]


def blocks(shape, step):
    """Origins of blocks that cover an array, in an order that is not the file's."""
    grid = [range(0, side, s) for side, s in zip(shape, step, strict=True)]
    origins = np.stack(np.meshgrid(*grid, indexing="ij"), -1).reshape(-1, len(shape))
    return [tuple(int(v) for v in o) for o in default_rng(1).permutation(origins)]


@pytest.mark.parametrize("name", ["labels.tif", "labels.zarr"])
@pytest.mark.parametrize(("shape", "step"), [((70, 90), (32, 50)), ((5, 70, 90), (2, 32, 50)), ((1, 1), (1, 1))])
def test_blocks_in_any_order_make_the_whole(tmp_path, name, shape, step) -> None:
    labels = default_rng(0).choice(np.array([0, 1, 2, 255], dtype=np.uint8), shape)
    with open_label_writer(tmp_path / name, shape, CLASSES) as writer:
        for origin in blocks(shape, step):
            writer.write(labels[tuple(slice(o, o + s) for o, s in zip(origin, step, strict=True))], origin)
    np.testing.assert_array_equal(read(tmp_path / name), labels)


@settings(max_examples=25, deadline=None)
@given(st.tuples(st.integers(1, 40), st.integers(1, 40)), st.tuples(st.integers(1, 17), st.integers(1, 17)))
def test_any_block_size(tmp_path_factory, shape, step) -> None:
    path = tmp_path_factory.mktemp("writer") / "labels.tif"
    labels = default_rng(2).integers(0, 3, shape)
    with open_label_writer(path, shape, CLASSES) as writer:
        for origin in blocks(shape, step):
            writer.write(labels[tuple(slice(o, o + s) for o, s in zip(origin, step, strict=True))], origin)
    np.testing.assert_array_equal(tifffile.imread(path).reshape(shape), labels)


@pytest.mark.parametrize("name", ["labels.tif", "labels.zarr"])
def test_threads_share_a_writer(tmp_path, name) -> None:
    labels = default_rng(3).integers(0, 3, (256, 256)).astype(np.uint8)
    with open_label_writer(tmp_path / name, labels.shape, CLASSES) as writer:
        workers = [
            threading.Thread(target=writer.write, args=(labels[o[0] : o[0] + 32, o[1] : o[1] + 32], o))
            for o in blocks((256, 256), (32, 32))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    np.testing.assert_array_equal(read(tmp_path / name), labels)


@pytest.mark.parametrize("name", ["labels.tif", "labels.zarr"])
def test_an_error_leaves_what_was_there(tmp_path, name) -> None:
    path = tmp_path / name
    with open_label_writer(path, (4, 4), CLASSES) as writer:
        writer.write(np.ones((4, 4), dtype=np.uint8), (0, 0))

    def interrupted() -> None:
        with open_label_writer(path, (4, 4), CLASSES) as writer:
            writer.write(np.zeros((2, 4), dtype=np.uint8), (0, 0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (read(path) == 1).all()
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["labels.tif", "labels.zarr"])
def test_a_missing_block_is_an_error(tmp_path, name) -> None:
    with (
        pytest.raises(BeamforgeError, match="8 of 16 label pixels"),
        open_label_writer(tmp_path / name, (4, 4), CLASSES) as writer,
    ):
        writer.write(np.zeros((2, 4), dtype=np.uint8), (0, 0))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("block", "origin", "message"),
    [
        (np.full((2, 2), 3), (0, 0), "class number 3"),
        (np.full((2, 2), -1), (0, 0), "class number -1"),
        (np.zeros((2, 2)), (0, 0), "float64"),
        (np.zeros((2, 2), int), (3, 0), "reaches outside"),
        (np.zeros((2, 2), int), (0, -1), "reaches outside"),
        (np.zeros((1, 2, 2), int), (0, 0, 0), "dimensions"),
    ],
)
def test_a_wrong_block_is_refused(tmp_path, block, origin, message) -> None:
    with pytest.raises(InputError, match=message), open_label_writer(tmp_path / "l.tif", (4, 4), CLASSES) as writer:
        writer.write(block, origin)


def test_other_endings_and_shapes_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="jpg"), open_label_writer(tmp_path / "l.jpg", (4, 4), CLASSES):
        pass
    with pytest.raises(InputError, match="sides of 1 px"), open_label_writer(tmp_path / "l.tif", (0, 4), CLASSES):
        pass


def test_a_volume_larger_than_the_memory_it_takes(tmp_path) -> None:
    shape = (40, 1024, 1024)
    block = np.ones((1, 256, 1024), dtype=np.uint8)
    tracemalloc.start()
    with open_label_writer(tmp_path / "volume.tif", shape, CLASSES) as writer:
        for z in range(shape[0]):
            for y in range(0, shape[1], 256):
                writer.write(block, (z, y, 0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * block.size
    assert tifffile.imread(tmp_path / "volume.tif", key=39).min() == 1


def test_ome_zarr_models_accept_it(tmp_path) -> None:
    models = pytest.importorskip("ome_zarr_models.v05")
    with open_label_writer(
        tmp_path / "image.zarr" / "labels" / "classes", (4, 6), CLASSES, pixel_size=2.5, pixel_size_unit="nm"
    ) as writer:
        writer.write(np.zeros((4, 6), dtype=np.uint8), (0, 0))
    group = zarr.open_group(tmp_path / "image.zarr" / "labels" / "classes", mode="r")
    label = models.ImageLabel.from_zarr(group)
    assert [axis.unit for axis in label.ome_attributes.multiscales[0].axes] == ["nanometer", "nanometer"]
    assert label.ome_attributes.image_label.colors[1].rgba == (255, 204, 0, 255)
    labels = models.Labels.from_zarr(zarr.open_group(tmp_path / "image.zarr" / "labels", mode="r"))
    assert labels.ome_attributes.labels == ["classes"]
