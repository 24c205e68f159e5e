import numpy as np
import pytest
import tifffile
from numpy.random import default_rng
from PIL import Image

from beamforge.errors import InputError
from beamforge.io import inspect_file, open_label_volume, open_label_writer, open_labels, open_stack, save_labels
from beamforge.stack import Classes, as_labels, as_stack, classes_of

CLASSES = Classes(names=("water", "sand", "air"), colours=("#0000ff", "#ffcc00", "#ffffff"))


@pytest.fixture
def labels():
    values = default_rng(0).choice(np.array([0, 1, 2, 255], dtype=np.uint8), (20, 30))
    return as_labels(values, CLASSES, pixel_size=43.99)


@pytest.mark.parametrize("name", ["l.tif", "l.png", "l.zarr", "image.zarr/labels/wedge"])
def test_saved_labels_come_back_complete(tmp_path, labels, name) -> None:
    save_labels(tmp_path / name, labels, provenance={"seed": 5, "note": "größer"})
    again = open_labels(tmp_path / name)
    np.testing.assert_array_equal(again.values, labels.values)
    assert again.dtype == np.uint8
    assert classes_of(again) == CLASSES
    assert (again.attrs["pixel_size"], again.attrs["pixel_size_unit"]) == (43.99, "µm")
    assert again.attrs["provenance"] == {"seed": 5, "note": "größer"}
    found = inspect_file(tmp_path / name)
    assert found.kind == "labels"
    assert [c.pixels for c in found.classes] == [int((labels.values == v).sum()) for v in range(3)]
    assert found.ignored == int((labels.values == 255).sum())
    assert sum(c.percent for c in found.classes) == pytest.approx(100)
    assert "sand" in found.render()


def test_other_programs_see_numbers_and_colours(tmp_path, labels) -> None:
    save_labels(tmp_path / "l.tif", labels)
    save_labels(tmp_path / "l.png", labels)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "l.tif"), labels.values)
    with Image.open(tmp_path / "l.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), labels.values)
        colours = np.asarray(picture.convert("RGB"))
    assert (colours[labels.values == 1] == (255, 204, 0)).all()
    with tifffile.TiffFile(tmp_path / "l.tif") as file:
        assert file.pages[0].colormap[:, 1].tolist() == [65535, 204 * 257, 0]


def test_no_other_ending_is_written(tmp_path, labels) -> None:
    with pytest.raises(InputError, match=r"saved as \.tif, \.png or \.zarr, not as '\.jpg'"):
        save_labels(tmp_path / "l.jpg", labels)


def test_declared_classes_rename_those_of_the_file(tmp_path, labels) -> None:
    save_labels(tmp_path / "l.tif", labels)
    assert open_labels(tmp_path / "l.tif", classes=["a", "b", "c", "d"]).attrs["class_names"] == ["a", "b", "c", "d"]
    with pytest.raises(InputError, match=r"class numbers \[2\], but only 0\.\.1 are declared"):
        open_labels(tmp_path / "l.tif", classes=["a", "b"])


def test_the_size_must_be_the_stacks(tmp_path, labels) -> None:
    save_labels(tmp_path / "l.tif", labels)
    with pytest.raises(InputError, match=r"l\.tif is 20×30 but .* is 20×31 \(y, x\); crop or pad"):
        open_labels(tmp_path / "l.tif", stack=as_stack(np.zeros((20, 31))))


class TestMasks:
    def mask(self, tmp_path, values):
        tifffile.imwrite(tmp_path / "mask.tif", values, photometric="minisblack" if values.ndim == 2 else "rgb")
        return tmp_path / "mask.tif"

    def test_zero_and_255_is_not_guessed(self, tmp_path) -> None:
        values = (default_rng(0).random((20, 30)) < 0.3).astype(np.uint8) * 255
        path = self.mask(tmp_path, values)
        with pytest.raises(InputError, match=r"holds only 0 and 255.*legend={0: 'background', 255"):
            open_labels(path)
        labels = open_labels(path, legend={0: "background", 255: "crack"})
        np.testing.assert_array_equal(labels.values, values // 255)
        np.testing.assert_array_equal(open_labels(path, classes=["background"]).values, values)

    def test_grey_levels_are_not_taken_for_class_numbers(self, tmp_path) -> None:
        path = self.mask(tmp_path, np.tile(np.array([0, 85, 170], np.uint8), (6, 10)))
        with pytest.raises(InputError, match=r"look like grey levels.*legend={0: '…', 85: '…', 170: '…'}"):
            open_labels(path)
        labels = open_labels(path, legend={0: "air", 170: "ignore", 85: "sand"})
        assert labels.values[0, :3].tolist() == [0, 1, 255]

    def test_sixteen_bit_values(self, tmp_path) -> None:
        path = self.mask(tmp_path, np.tile(np.array([8218, 51829], np.uint16), (6, 10)))
        assert open_labels(path, legend={"8218": "a", "51829": "b"}).values[0, :2].tolist() == [0, 1]

    def test_what_the_legend_lacks_is_listed(self, tmp_path) -> None:
        path = self.mask(tmp_path, np.tile(np.array([0, 1, 1, 9], np.uint8), (6, 10)))
        with pytest.raises(InputError, match=r"2 values that the legend does not list: 1 \(120 px\), 9 \(60 px\)"):
            open_labels(path, legend={0: "air"})
        labels = open_labels(path, legend={1: "sand"}, unlabelled="rest")
        assert labels.attrs["class_names"] == ["rest", "sand"]
        assert open_labels(path, legend={1: "sand"}, unlabelled="ignore").values[0, :4].tolist() == [255, 0, 0, 255]

    def test_colour_masks_need_a_legend(self, tmp_path) -> None:
        values = np.zeros((6, 10, 3), np.uint8)
        values[:, 5:] = (255, 0, 16)
        path = self.mask(tmp_path, values)
        with pytest.raises(InputError, match=r"colour mask; pass legend={'#000000': '…', '#ff0010': '…'}"):
            open_labels(path)
        labels = open_labels(path, legend={"#000000": "air", (255, 0, 16): "root"})
        assert labels.values[0].tolist() == [0] * 5 + [1] * 5
        assert classes_of(labels).colours == ("#000000", "#ff0010")
        with pytest.raises(InputError, match="'red' is no colour"):
            open_labels(path, legend={"#000000": "air", "red": "root"})

    def test_transparent_pixels_are_unlabelled(self, tmp_path) -> None:
        values = np.zeros((6, 10, 4), np.uint8)
        values[:, :5] = (1, 2, 3, 255)
        Image.fromarray(values).save(tmp_path / "m.png")
        labels = open_labels(tmp_path / "m.png", legend={"#010203": "root"})
        assert labels.values[0].tolist() == [0] * 5 + [255] * 5

    def test_a_palette_gives_colours_and_may_have_a_legend(self, tmp_path) -> None:
        picture = Image.fromarray(np.tile(np.array([0, 1, 2], np.uint8), (6, 4)))
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])
        picture.save(tmp_path / "p.png")
        plain = open_labels(tmp_path / "p.png")
        assert plain.values[0, :3].tolist() == [0, 1, 2]
        assert classes_of(plain).colours == ("#000000", "#ff0000", "#0000ff")
        named = open_labels(tmp_path / "p.png", legend={"#0000ff": "b", "#ff0000": "a", "#000000": "ignore"})
        assert named.values[0, :3].tolist() == [255, 1, 0]

    def test_jpeg_is_refused(self, tmp_path) -> None:
        Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "m.jpg")
        with pytest.raises(InputError, match="JPEG, whose compression changes class numbers"):
            open_labels(tmp_path / "m.jpg")

    def test_nothing_labelled(self, tmp_path) -> None:
        path = self.mask(tmp_path, np.full((6, 10), 255, np.uint8))
        with pytest.raises(InputError, match="nothing is labelled"):
            open_labels(path)

    def test_real_masks(self, real_data) -> None:
        wedge = open_labels(real_data / "neutron" / "step_wedge" / "labels_water_steps.tif")
        assert len(classes_of(wedge)) == 11
        path = next((real_data / "micro" / "nasa_super1" / "train_annot").glob("*.tif"))
        legend = {"#0000ff": "secondary", "#ff0000": "tertiary"}
        labels = open_labels(path, legend=legend, unlabelled="matrix")
        pixels = np.asarray(Image.open(path))[..., :3]
        np.testing.assert_array_equal(labels.values == 1, (pixels == (0, 0, 255)).all(-1))
        np.testing.assert_array_equal(labels.values == 2, (pixels == (255, 0, 0)).all(-1))


class TestVolumes:
    @pytest.fixture(params=["v.tif", "v.zarr"])
    def path(self, tmp_path, request):
        with open_label_writer(tmp_path / request.param, (4, 20, 30), CLASSES, pixel_size=2.0) as writer:
            for z in range(4):
                writer.write(np.full((1, 20, 30), z % 3, np.uint8), (z, 0, 0))
        return tmp_path / request.param

    def test_they_open_lazily_with_classes(self, path) -> None:
        volume = open_label_volume(path)
        assert volume.dims == ("z", "y", "x")
        assert volume.chunks is not None
        assert volume[:, 0, 0].values.tolist() == [0, 1, 2, 0]
        assert (tuple(volume.attrs["class_names"]), volume.attrs["pixel_size"]) == (CLASSES.names, 2.0)

    def test_one_plane_opens_as_labels(self, path) -> None:
        assert (open_labels(path, plane=2).values == 2).all()
        with pytest.raises(InputError, match="volume of 4 planes; choose one with plane="):
            open_labels(path)
        with pytest.raises(InputError, match=r"no plane 4, it has 0\.\.3"):
            open_labels(path, plane=4)

    def test_inspect_counts_the_classes(self, path) -> None:
        found = inspect_file(path)
        assert found.kind == "labels"
        assert [c.pixels for c in found.classes] == [1200, 600, 600]

    def test_fractions_are_no_labels(self, tmp_path) -> None:
        np.save(tmp_path / "f.npy", np.zeros((2, 3, 4)))
        with pytest.raises(InputError, match="expected whole numbers"):
            open_label_volume(tmp_path / "f.npy")


def test_a_stack_of_labels_is_still_a_stack(tmp_path, labels) -> None:
    save_labels(tmp_path / "l.tif", labels)
    np.testing.assert_array_equal(open_stack(tmp_path / "l.tif")[0].values, labels.values)
