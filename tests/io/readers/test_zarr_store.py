import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import zarr
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import open_labels, open_stack, save_stack
from beamforge.stack import Channel, as_stack
from contracts.reader import ReaderContract


class ZarrContract(ReaderContract):
    name, suffix = "Zarr", ".zarr"

    def test_is_recognised_by_content(self, path) -> None:
        assert open_stack(path.rename(path.with_name("something.else"))).sizes["channel"] == 3

    def test_other_content_under_its_name_is_refused(self, tmp_path) -> None:
        (tmp_path / "notes.zarr").mkdir()
        with pytest.raises(InputError, match=r"notes\.zarr is a folder without images"):
            open_stack(tmp_path / "notes.zarr")


class TestOwnZarr(ZarrContract):
    def stack(self, values):
        channels = [Channel(mode=m, autocorrelation_length=120.5) for m in ("H0", "H1", "DF")]
        return as_stack(values, channels, pixel_size=43.99, units="counts")

    def write(self, path, values):
        save_stack(path, self.stack(values))

    def expected(self, values):
        return self.stack(values)


class TestPlainVersion2(ZarrContract):
    dtype = "float32"

    def write(self, path, values):
        array = zarr.create_array(path, shape=values.shape, chunks=(1, 20, 20), dtype=">f4", zarr_format=2)
        array[:] = values


class TestOmeZarr(ZarrContract):
    """OME-Zarr 0.4 with a pyramid, names of channels, and a scale given in two places."""

    def payload(self, path):
        return super().payload(path / "0")

    def write(self, path, values):
        scale = [{"type": "scale", "scale": [1.0, 2.0, 2.0]}]
        datasets = [
            {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 0.65, 0.65]}]},
            {"path": "1", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.3, 1.3]}]},
        ]
        axes = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space", "unit": "nanometer"} for n in "yx")]
        attributes = {
            "multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets, "coordinateTransformations": scale}],
            "omero": {"channels": [{"label": label} for label in ("H0", "H1", "DF")]},
        }
        group = zarr.create_group(path, zarr_format=2, attributes=attributes)
        group.create_array("0", data=values, chunks=(1, 20, 30))
        group.create_array("1", data=np.ascontiguousarray(values[:, ::2, ::2]))

    def expected(self, values):
        return as_stack(values, [{"mode": m} for m in ("H0", "H1", "DF")], pixel_size=1.3, pixel_size_unit="nm")


def test_what_ome_zarr_models_calls_valid(tmp_path) -> None:
    models = pytest.importorskip("ome_zarr_models.v05")
    save_stack(tmp_path / "s.zarr", as_stack(np.ones((3, 4, 5), np.uint16), pixel_size=2.0))
    image = models.Image.from_zarr(zarr.open_group(tmp_path / "s.zarr", mode="r"))
    assert image.ome_attributes.multiscales[0].datasets[0].coordinateTransformations[0].scale == [1.0, 2.0, 2.0]


def test_a_group_of_arrays_asks_which(tmp_path) -> None:
    group = zarr.create_group(tmp_path / "g.zarr")
    group.create_array("scan/sample", data=np.ones((2, 4, 5), np.uint16))
    group.create_array("scan/dark", data=np.zeros((4, 5), np.uint16))
    with pytest.raises(InputError, match="2 images, choose one with dataset=: scan/dark: 4×5 uint16; scan/sample: 2"):
        open_stack(tmp_path / "g.zarr")
    assert open_stack(f"{tmp_path}/g.zarr:/scan/sample").shape == (2, 4, 5)
    with pytest.raises(InputError, match=r"g\.zarr"):
        open_stack(tmp_path / "g.zarr", dataset="scan/none")


def test_thirty_gigabytes_open_without_reading(tmp_path) -> None:
    zarr.create_array(tmp_path / "big.zarr", shape=(4000, 1924, 1924), chunks=(1, 1924, 1924), dtype="uint16")
    stack = open_stack(tmp_path / "big.zarr")
    assert stack.nbytes > 29e9
    assert int(stack[3999, 1900:1924, :10].sum()) == 0
    assert max(np.prod(sizes) for sizes in [stack.data.chunksize]) * 2 <= 16 * 2**20


def test_a_chunk_larger_than_what_is_decoded_at_once_is_refused(tmp_path) -> None:
    zarr.create_array(tmp_path / "b.zarr", shape=(99_000, 99_000), chunks=(99_000, 99_000), dtype="uint8")
    with pytest.raises(InputError, match="one chunk declares 99000×99000"):
        open_stack(tmp_path / "b.zarr")


@pytest.mark.parametrize("place", ["filters", "compressor"])
def test_a_pickle_as_a_chunk_is_never_loaded(tmp_path, place) -> None:
    class Harm:
        def __reduce__(self):
            return Path.touch, (tmp_path / "harm",)

    codec = {"id": "pickle", "protocol": 5}
    path = tmp_path / "evil.zarr"
    path.mkdir()
    metadata = {"zarr_format": 2, "shape": [4, 5], "chunks": [4, 5], "dtype": "|u1", "fill_value": 0, "order": "C"}
    codecs = {"filters": [codec], "compressor": None} if place == "filters" else {"filters": None, "compressor": codec}
    (path / ".zarray").write_text(json.dumps(metadata | codecs))
    (path / "0.0").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(InputError, match=r"evil\.zarr"):
        open_stack(path).values  # noqa: B018
    assert not (tmp_path / "harm").exists()


def test_labels_of_other_makers_bring_names_and_colours(tmp_path) -> None:
    values = default_rng(0).integers(0, 2, (4, 5)).astype(np.uint8)
    colours = [{"label-value": 0, "rgba": [0, 0, 255, 255]}, {"label-value": 1, "rgba": [255, 204, 0, 255]}]
    label = {
        "colors": colours,
        "properties": [{"label-value": 0, "class": "water"}, {"label-value": 1, "name": "sand"}],
    }
    scales = [{"axes": [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}], "datasets": [{"path": "0"}]}]
    group = zarr.create_group(tmp_path / "l.zarr", attributes={"ome": {"multiscales": scales, "image-label": label}})
    group.create_array("0", data=values)
    labels = open_labels(tmp_path / "l.zarr")
    assert labels.attrs["class_names"] == ["water", "sand"]
    assert labels.attrs["class_colours"] == ["#0000ff", "#ffcc00"]
    np.testing.assert_array_equal(labels.values, values)
