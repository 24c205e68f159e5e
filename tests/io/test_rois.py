import io
import zipfile

import numpy as np
import pytest
import roifile
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Outline
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import inspect_file, open_labels
from beamforge.io.roi_shapes import Polygons, RoundedBox, fill_even_odd
from beamforge.io.rois import class_of
from beamforge.stack import as_stack

SIZE = (40, 50)
KIND, OPTION = roifile.ROI_TYPE, roifile.ROI_OPTIONS


def polygon(points, kind=KIND.FREEHAND, name=""):
    roi = roifile.ImagejRoi.frompoints(np.asarray(points, dtype=np.float32), name=name)
    roi.roitype = kind
    return roi


def box(left, top, right, bottom, kind=KIND.RECT, name="", **fields):
    roi = roifile.ImagejRoi(roitype=kind, left=left, top=top, right=right, bottom=bottom, version=228)
    roi.name = name
    for field, value in fields.items():
        setattr(roi, field, value)
    return roi


def composite(operations, name=""):
    roi = box(0, 0, 40, 40, name=name)
    roi.multi_coordinates = np.asarray(operations, dtype=np.float32)
    roi.shape_roi_size = len(operations)
    return roi


def write_zip(path, rois):
    with zipfile.ZipFile(path, "w") as archive:
        for entry, roi in rois.items():
            archive.writestr(entry, roi.tobytes() if hasattr(roi, "tobytes") else roi)
    return path


def draw(tmp_path, roi, **options):
    """The pixels of one ROI."""
    path = tmp_path / "water.roi"
    path.write_bytes(roi.tobytes())
    return open_labels(path, size=SIZE, **options).values == 0


class TestShapes:
    def test_a_rectangle_holds_its_columns_and_rows(self, tmp_path) -> None:
        expected = np.zeros(SIZE, bool)
        expected[5:11, 3:20] = True
        np.testing.assert_array_equal(draw(tmp_path, box(3, 5, 20, 11)), expected)

    def test_an_oval_holds_the_centres_inside(self, tmp_path) -> None:
        y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
        expected = ((x - 15) / 10) ** 2 + ((y - 14) / 6) ** 2 <= 1
        np.testing.assert_array_equal(draw(tmp_path, box(5, 8, 25, 20, KIND.OVAL)), expected)

    def test_sub_pixel_boxes(self, tmp_path) -> None:
        fields = {"options": OPTION.SUB_PIXEL_RESOLUTION, "xd": 3.6, "yd": 5.4, "widthd": 10.0, "heightd": 4.2}
        expected = np.zeros(SIZE, bool)
        expected[5:10, 4:14] = True  # centres 5.5..9.5 lie in 5.4..9.6, centres 4.5..13.5 in 3.6..13.6
        np.testing.assert_array_equal(draw(tmp_path, box(3, 5, 14, 10, **fields)), expected)

    def test_rounded_corners_lack_what_their_ellipse_lacks(self, tmp_path) -> None:
        plain = draw(tmp_path, box(5, 5, 35, 25))
        rounded = draw(tmp_path, box(5, 5, 35, 25, rounded_rect_arc_size=12))
        assert (plain & ~rounded).sum() == pytest.approx((4 - np.pi) * 6**2, abs=6)
        np.testing.assert_array_equal(rounded[5:25, 5:35], rounded[5:25, 5:35][::-1, ::-1])

    @pytest.mark.parametrize("kind", [KIND.POLYGON, KIND.FREEHAND, KIND.TRACED])
    def test_outlines_hold_the_centres_inside(self, tmp_path, kind) -> None:
        points = np.array([(3.2, 4.1), (30.7, 6.3), (25.1, 33.9), (14.4, 18.2), (6.6, 30.3)])
        y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
        expected = Outline(points).contains_points(np.c_[x.ravel(), y.ravel()]).reshape(SIZE)
        np.testing.assert_array_equal(draw(tmp_path, polygon(points, kind)), expected)

    def test_integer_corners_are_corners_of_pixels(self, tmp_path) -> None:
        roi = polygon([(3, 5), (20, 5), (20, 11), (3, 11)], KIND.POLYGON)
        roi.subpixel_coordinates = None
        roi.options = OPTION(0)
        np.testing.assert_array_equal(draw(tmp_path, roi), draw(tmp_path, box(3, 5, 20, 11)))

    def test_a_hole_in_a_composite_stays_empty(self, tmp_path) -> None:
        outer = [0, 5, 5, 1, 35, 5, 1, 35, 30, 1, 5, 30, 4]
        inner = [0, 10, 10, 1, 20, 10, 1, 20, 20, 1, 10, 20, 4]
        expected = np.zeros(SIZE, bool)
        expected[5:30, 5:35] = True
        expected[10:20, 10:20] = False
        np.testing.assert_array_equal(draw(tmp_path, composite(outer + inner)), expected)

    def test_curves_of_a_composite(self, tmp_path) -> None:
        # Four cubic pieces make a circle of radius 12 about (20, 20) to within 0.03 %.
        k = 12 * 0.5522847
        curves = [0, 32, 20]
        for sx, sy, ex, ey, ax, ay, bx, by in (
            (32, 20, 20, 32, 32, 20 + k, 20 + k, 32),
            (20, 32, 8, 20, 20 - k, 32, 8, 20 + k),
            (8, 20, 20, 8, 8, 20 - k, 20 - k, 8),
            (20, 8, 32, 20, 20 + k, 8, 32, 20 - k),
        ):
            curves += [3, ax, ay, bx, by, ex, ey]
            assert (sx, sy) != (ex, ey)
        difference = draw(tmp_path, composite([*curves, 4])) ^ draw(tmp_path, box(8, 8, 32, 32, KIND.OVAL))
        assert difference.sum() <= 4

    def test_the_part_outside_the_image_is_cut_off(self, tmp_path) -> None:
        expected = np.zeros(SIZE, bool)
        expected[:6, 45:] = True
        np.testing.assert_array_equal(draw(tmp_path, box(45, -3, 80, 6)), expected)


points = st.lists(
    st.tuples(st.integers(-40, 200), st.integers(-40, 160)).map(lambda p: (p[0] / 4, p[1] / 4)), min_size=3, max_size=9
)


@settings(deadline=None)
@given(points)
def test_even_odd_by_brute_force(corners) -> None:
    """Count the crossings of a ray from every centre with every edge."""
    outline = np.array(corners)
    inside = fill_even_odd([outline], range(SIZE[0]), range(SIZE[1]))
    for y, x in [(0, 0), (7, 11), (20, 25), (39, 49), (13, 30)]:
        crossings = 0
        for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
            if (y0 <= y + 0.5) != (y1 <= y + 0.5):
                crossings += x0 + (y + 0.5 - y0) * (x1 - x0) / (y1 - y0) <= x + 0.5
        assert inside[y, x] == bool(crossings % 2)


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 160), st.integers(0, 160))
def test_shapes_that_share_an_edge_share_no_pixel_and_leave_none(ax, bx, ay, by) -> None:
    """A rectangle cut in two along any line through it: every pixel is in one part and one only."""
    a, b = (ax / 4, 0.0), (bx / 4, 40.0)
    left = fill_even_odd([np.array([(0.0, 0.0), a, b, (0.0, 40.0)])], range(40), range(50))
    right = fill_even_odd([np.array([a, (50.0, 0.0), (50.0, 40.0), b])], range(40), range(50))
    assert (left ^ right).all()
    top = RoundedBox(0, 0, 50, ay / 4).mask(range(40), range(50))
    rest = RoundedBox(0, ay / 4, 50, 40 - ay / 4).mask(range(40), range(50))
    assert (top ^ rest).all() or ay > 160


def test_windows_are_parts_of_the_whole() -> None:
    shape = Polygons((default_rng(0).uniform(0, 40, (12, 2)),))
    whole = shape.mask(range(40), range(50))
    np.testing.assert_array_equal(shape.mask(range(7, 30), range(11, 33)), whole[7:30, 11:33])


class TestNames:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("water", "water"), ("water_1", "water"), ("water-2", "water"), ("water 3", "water"), ("D2O_12", "D2O"),
            ("water_0.5", "water_0.5"), ("step2", "step2"), ("0.5 mm_1", "0.5 mm"),
        ],
    )  # fmt: skip
    def test_a_trailing_number_counts_rois(self, name, expected) -> None:
        assert class_of(name, None, None, "rois.zip") == expected

    def test_declared_names_keep_their_numbers(self) -> None:
        assert class_of("step_1", ("step_1", "step_2"), None, "rois.zip") == "step_1"
        assert class_of("step_1_2", ("step_1", "step_2"), None, "rois.zip") == "step_1"

    def test_a_legend_renames(self) -> None:
        assert class_of("0123-0456", None, {"0123-0456": "water"}, "rois.zip") == "water"

    def test_names_imagej_made_up_say_no_class(self) -> None:
        for name in ("0123-0456", "0001-0123-0456"):
            with pytest.raises(InputError, match=r"ImageJ made up.*rename"):
                class_of(name, None, None, "rois.zip")

    def test_an_unknown_class_is_named_with_its_neighbour(self) -> None:
        with pytest.raises(InputError, match="'watre'; did you mean 'water'"):
            class_of("watre_1", ("water", "sand"), None, "rois.zip")


class TestSets:
    def rois(self):
        return {
            "a.roi": box(0, 0, 10, 10, name="water_1"),
            "b.roi": box(20, 0, 30, 10, name="water_2"),
            "c.roi": box(0, 20, 10, 30, name="sand"),
        }

    def test_a_zip_with_a_stack(self, tmp_path) -> None:
        path = write_zip(tmp_path / "rois.zip", self.rois())
        stack = as_stack(np.zeros(SIZE), pixel_size=2.5)
        labels = open_labels(path, stack=stack)
        assert labels.attrs["class_names"] == ["sand", "water"]
        assert labels.attrs["pixel_size"] == 2.5
        assert [(labels.values == v).sum() for v in (0, 1, 255)] == [100, 200, 2000 - 300]

    def test_unlabelled_pixels_can_be_a_class(self, tmp_path) -> None:
        path = write_zip(tmp_path / "rois.zip", self.rois())
        labels = open_labels(path, size=SIZE, unlabelled="background")
        assert labels.attrs["class_names"] == ["background", "sand", "water"]
        assert (labels.values == 0).sum() == 1700

    def test_classes_set_the_order_and_colours(self, tmp_path) -> None:
        path = write_zip(tmp_path / "rois.zip", self.rois())
        labels = open_labels(path, size=SIZE, classes=["water", "sand", "air"])
        assert [(labels.values == v).sum() for v in (0, 1, 2)] == [200, 100, 0]

    def test_overlap_of_classes_is_an_error_or_ignored(self, tmp_path) -> None:
        rois = self.rois() | {"d.roi": box(5, 5, 15, 15, name="sand_2")}
        path = write_zip(tmp_path / "rois.zip", rois)
        with pytest.raises(InputError, match="'sand_2' and 'water_1' share 25 px"):
            open_labels(path, size=SIZE)
        labels = open_labels(path, size=SIZE, overlap="ignore").values
        assert (labels[5:10, 5:10] == 255).all()
        assert (labels == 0).sum() == 100 + 100 - 25

    def test_overlap_within_a_class_is_fine(self, tmp_path) -> None:
        rois = self.rois() | {"d.roi": box(5, 5, 15, 15, name="water_3")}
        assert (open_labels(write_zip(tmp_path / "r.zip", rois), size=SIZE).values == 1).sum() == 200 + 75

    def test_spelling_that_differs_is_refused(self, tmp_path) -> None:
        rois = self.rois() | {"d.roi": box(35, 0, 40, 10, name="Water_3")}
        with pytest.raises(InputError, match=r"'Water' and 'water' differ only in spelling|'water' and 'Water' differ"):
            open_labels(write_zip(tmp_path / "r.zip", rois), size=SIZE)

    def test_a_size_is_needed(self, tmp_path) -> None:
        with pytest.raises(InputError, match="pass stack= or size="):
            open_labels(write_zip(tmp_path / "r.zip", self.rois()))

    def test_a_roi_of_another_image_is_named(self, tmp_path) -> None:
        rois = {"a.roi": box(900, 900, 950, 950, name="water_1")}
        with pytest.raises(InputError, match=r"'water_1'.*900, 900, 950, 950.*holds no pixel of the 40×50"):
            open_labels(write_zip(tmp_path / "r.zip", rois), size=SIZE)

    def test_inspect_lists_them(self, tmp_path) -> None:
        rois = self.rois() | {"d.roi": box(5, 5, 15, 15, KIND.OVAL, name="0010-0010")}
        found = inspect_file(write_zip(tmp_path / "r.zip", rois))
        assert [(r.name, r.kind, r.class_name) for r in found.rois] == [
            ("0010-0010", "oval", None), ("sand", "rect", "sand"), ("water_1", "rect", "water"),
            ("water_2", "rect", "water"),
        ]  # fmt: skip
        assert "0010-0010: oval, class ?" in found.render()

    def test_a_name_cannot_write_on_the_terminal(self, tmp_path) -> None:
        rois = {"a.roi": box(0, 0, 9, 9, name="water\x1b[2J\x1b]0;owned\x07")}
        assert "\x1b" not in inspect_file(write_zip(tmp_path / "r.zip", rois)).render()

    def test_the_real_rois(self, real_data) -> None:
        labels = open_labels(real_data / "neutron" / "imagej_roi", size=(1000, 1000))
        assert labels.attrs["class_names"] == ["background", "signal"]
        assert (labels.values[602:660, 317:388] == 1).all()
        assert (labels.values == 1).sum() == (660 - 602) * (388 - 317)


class TestRefused:
    @pytest.mark.parametrize("kind", [KIND.LINE, KIND.POINT, KIND.POLYLINE, KIND.FREELINE, KIND.ANGLE])
    def test_what_has_no_area(self, tmp_path, kind) -> None:
        roi = polygon([(1, 1), (5, 5), (9, 1)], kind)
        with pytest.raises(InputError, match="has no area"):
            draw(tmp_path, roi)

    def test_splines(self, tmp_path) -> None:
        roi = polygon([(1, 1), (5, 5), (9, 1)], KIND.POLYGON)
        roi.options |= OPTION.SPLINE_FIT
        with pytest.raises(InputError, match=r"spline fit.*Interpolate"):
            draw(tmp_path, roi)

    @pytest.mark.parametrize(
        "name", ["../evil.roi", "/etc/evil.roi", "a/../../evil.roi", "C:\\evil.roi", "..\\evil.roi"]
    )
    def test_names_that_leave_the_archive(self, tmp_path, name) -> None:
        path = write_zip(tmp_path / "rois.zip", {"a.roi": box(0, 0, 9, 9), name: box(0, 0, 9, 9)})
        with pytest.raises(InputError, match="points outside the archive"):
            open_labels(path, size=SIZE)
        assert [p.name for p in tmp_path.iterdir()] == ["rois.zip"]

    def test_a_zip_bomb(self, tmp_path) -> None:
        with zipfile.ZipFile(tmp_path / "rois.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.roi", bytes(64 * 2**20))
        with pytest.raises(InputError, match="unpacks to more than an ROI can be"):
            open_labels(tmp_path / "rois.zip", size=SIZE)

    def test_a_zip_that_lies_about_its_size(self, tmp_path) -> None:
        with zipfile.ZipFile(tmp_path / "rois.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.roi", bytes(64 * 2**20))
        data = (
            (tmp_path / "rois.zip").read_bytes().replace((64 * 2**20).to_bytes(4, "little"), (64).to_bytes(4, "little"))
        )
        (tmp_path / "rois.zip").write_bytes(data)
        with pytest.raises(InputError, match=r"rois\.zip"):
            open_labels(tmp_path / "rois.zip", size=SIZE)

    def test_too_many_entries(self, tmp_path) -> None:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for number in range(10_001):
                archive.writestr(f"{number}.roi", b"")
        (tmp_path / "rois.zip").write_bytes(stream.getvalue())
        with pytest.raises(InputError, match="more than 10000 entries"):
            open_labels(tmp_path / "rois.zip", size=SIZE)

    def test_an_archive_without_rois(self, tmp_path) -> None:
        write_zip(tmp_path / "r.zip", {"notes.txt": b"text", "__MACOSX/._a.roi": b"fork"})
        with pytest.raises(InputError, match=r"holds no \.roi entry"):
            open_labels(tmp_path / "r.zip", size=SIZE)

    def test_a_damaged_archive(self, tmp_path) -> None:
        path = write_zip(tmp_path / "r.zip", {"a.roi": box(0, 0, 9, 9)})
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(InputError, match="damaged zip archive"):
            open_labels(path, size=SIZE)

    def test_damaged_rois_give_an_input_error_or_labels(self, tmp_path) -> None:
        roi = polygon(default_rng(1).uniform(0, 40, (30, 2)), name="water")
        whole = roi.tobytes()
        path = tmp_path / "water.roi"
        rng = default_rng(2)
        refused = 0
        for _ in range(300):
            damaged = bytearray(whole[: rng.integers(10, len(whole) + 1)])
            for at in rng.integers(4, max(5, len(damaged)), 4):
                damaged[at % len(damaged)] = rng.integers(256)
            path.write_bytes(bytes(damaged))
            try:
                labels = open_labels(path, size=SIZE, unlabelled="rest")
            except InputError as error:
                refused += "water.roi" in str(error)
            else:
                assert set(np.unique(labels.values)) <= {0, 1}
        assert refused > 100
