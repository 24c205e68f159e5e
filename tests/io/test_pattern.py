import itertools

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.io import open_stack
from beamforge.io.pattern import find_files, natural_key
from beamforge.stack import channels_of


def write(path, value=0, shape=(4, 5), dtype=np.uint16):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, np.full(shape, value, dtype))


@pytest.fixture
def grid(tmp_path):
    """Two modes at three autocorrelation lengths; the value tells mode and length."""
    for m, length in itertools.product(range(2), (5, 40, 120.5)):
        write(tmp_path / f"H{m}_{length}nm.tif", int(1000 * m + length * 2))
    return tmp_path


def test_names_become_coordinates_in_the_patterns_order(grid) -> None:
    stack = open_stack(f"{grid}/{{mode}}_{{autocorrelation_length}}nm.tif")
    assert stack["mode"].values.tolist() == ["H0"] * 3 + ["H1"] * 3
    assert stack["autocorrelation_length"].values.tolist() == [5.0, 40.0, 120.5] * 2
    assert stack["autocorrelation_length"].attrs["units"] == "nm"
    assert stack[:, 0, 0].values.tolist() == [10, 80, 241, 1010, 1080, 1241]
    assert channels_of(stack)[5].label == "H1 120.5 nm"


def test_missing_files_are_listed(grid) -> None:
    (grid / "H1_40nm.tif").unlink()
    pattern = f"{grid}/{{mode}}_{{autocorrelation_length}}nm.tif"
    with pytest.raises(InputError, match=r"1 files of .* are missing: H1_40nm\.tif; get them, or pass allow_missing"):
        open_stack(pattern)
    assert open_stack(pattern, allow_missing=True).sizes["channel"] == 5


def test_a_gap_in_a_padded_count_is_listed(tmp_path) -> None:
    for number in [1, 3, 5, 7, 11, 13, 15, 19, 21, 23, 25, 27]:
        write(tmp_path / f"p_{number:04d}.tif")
    with pytest.raises(InputError, match=r"2 files of .* missing: p_0009\.tif, p_0017\.tif"):
        open_stack(f"{tmp_path}/p_{{z}}.tif")


def test_uneven_lengths_are_no_gap(tmp_path) -> None:
    for number in (1, 2, 5, 12, 40, 90):
        write(tmp_path / f"xi_{number}.tif")
    assert open_stack(f"{tmp_path}/xi_{{autocorrelation_length}}.tif").sizes["channel"] == 6


def test_folders_in_patterns_wildcards_and_repeats(tmp_path) -> None:
    for mode, z in itertools.product(("ob", "sample"), (1, 2, 10)):
        write(tmp_path / mode / f"{mode}_run7_{z}.tif", z)
    stack = open_stack(f"{tmp_path}/{{mode}}/{{mode}}_run?_{{z}}.t*f")
    assert stack["mode"].values.tolist() == ["ob"] * 3 + ["sample"] * 3
    assert stack["z"].values.tolist() == [1, 2, 10] * 2


@pytest.mark.parametrize("text", ["-5", "+5", "0.25", "1e-3", "007"])
def test_numbers_as_they_are_written(tmp_path, text) -> None:
    write(tmp_path / f"a_{text}.tif")
    assert open_stack(f"{tmp_path}/a_{{omega}}.tif")["omega"].values.tolist() == [float(text)]


def test_special_characters_stand_for_themselves(tmp_path) -> None:
    write(tmp_path / "scan [1] (a+b)" / "x.y_3.tif", 3)
    write(tmp_path / "scan [1] (a+b)" / "xzy_4.tif", 4)
    assert open_stack(f"{tmp_path}/scan [1] (a+b)/x.y_{{z}}.tif")["z"].values.tolist() == [3.0]


def test_what_does_not_match_is_explained(grid) -> None:
    with pytest.raises(InputError, match=r"no file matches .*near it are H0_120\.5nm\.tif.*placeholders take numbers"):
        open_stack(f"{grid}/{{z}}_{{autocorrelation_length}}nm.tif")
    with pytest.raises(InputError, match=r"no file matches .*near it are H0_120\.5nm\.tif"):
        open_stack(f"{grid}/{{mode}}_{{autocorrelation_length}}nm.TIFF")
    with pytest.raises(InputError, match="no possible name of a channel coordinate"):
        open_stack(f"{grid}/{{x}}.tif")
    with pytest.raises(InputError, match="no possible name of a channel coordinate"):
        open_stack(f"{grid}/{{}}.tif")


def test_two_files_for_one_channel_are_refused(tmp_path) -> None:
    write(tmp_path / "a_5.tif")
    write(tmp_path / "a_5.0.tif")
    with pytest.raises(InputError, match="are the same channel"):
        open_stack(f"{tmp_path}/a_{{z}}.tif")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2000)), unique=True, min_size=1))
def test_natural_order_is_by_number(parts) -> None:
    names = [f"{letter}{number}.tif" for letter, number in parts]
    assert sorted(names, key=natural_key) == [f"{a}{n}.tif" for a, n in sorted(parts)]


def test_natural_key_compares_numbers_with_text() -> None:
    assert sorted(["b", "10a", "2a", "a", "a10", "a2", "a"], key=natural_key)[:4] == ["2a", "10a", "a", "a"]


def test_a_folder_in_natural_order(tmp_path) -> None:
    for z in (1, 2, 10):
        write(tmp_path / f"img{z}.tif", z)
    (tmp_path / "log.txt").write_text("notes")
    (tmp_path / ".hidden.tif").write_bytes(b"")
    stack = open_stack(tmp_path)
    assert stack[:, 0, 0].values.tolist() == [1, 2, 10]
    assert [name.rsplit("/", 1)[-1] for name in stack.attrs["files"]] == ["img1.tif", "img2.tif", "img10.tif"]


def test_odd_files_in_a_folder_are_named(tmp_path) -> None:
    for z in range(5):
        write(tmp_path / f"img{z}.tif")
    write(tmp_path / "flat.tif", shape=(6, 5))
    write(tmp_path / "mask.tif", dtype=np.uint8)
    with pytest.raises(
        InputError, match=r"5 of 7 files are 4×5 uint16 but flat\.tif is 6×5 uint16; mask\.tif is 4×5 uint8"
    ):
        open_stack(tmp_path)


def test_a_damaged_file_in_a_folder_is_named(tmp_path) -> None:
    for z in range(3):
        write(tmp_path / f"img{z}.tif")
    (tmp_path / "img1.tif").write_bytes(b"")
    with pytest.raises(InputError, match=r"img1\.tif is empty \(0 bytes\)"):
        open_stack(tmp_path)


def test_several_kinds_of_images_in_a_folder_ask_which(tmp_path) -> None:
    write(tmp_path / "a.tif")
    np.save(tmp_path / "a.npy", np.zeros((4, 5)))
    with pytest.raises(InputError, match=r"several kinds of images \(1 \.npy, 1 \.tif\); choose with"):
        open_stack(tmp_path)
    assert open_stack(f"{tmp_path}/*.tif").shape == (1, 4, 5)


def test_multi_page_files_of_a_folder_keep_their_own_axes(tmp_path) -> None:
    for i in range(2):
        tifffile.imwrite(tmp_path / f"f{i}.tif", np.full((3, 4, 5), i, np.uint8), photometric="minisblack")
    stack = open_stack(tmp_path)
    assert stack["file"].values.tolist() == [0, 0, 0, 1, 1, 1]
    assert stack["z"].values.tolist() == [0, 1, 2] * 2


def test_a_full_experiment_opens_without_reading_pixels(tmp_path, monkeypatch) -> None:
    # 252 files of 1924×1924 pixels; uncompressed, with the pixels left as holes in the files.
    for mode, length in itertools.product(("DF", "H0", "H1"), range(84)):
        tifffile.imwrite(tmp_path / f"{mode}_{length}.tif", shape=(1924, 1924), dtype=np.uint16)

    def never(*args, **kwargs):
        raise AssertionError("pixels are read")

    monkeypatch.setattr("beamforge.io.tiff_pages.TiffArray.window", never)
    stack = open_stack(f"{tmp_path}/{{mode}}_{{autocorrelation_length}}.tif")
    assert stack.shape == (252, 1924, 1924)
    assert stack.nbytes > 1.8e9


def test_the_real_wedge_by_pattern(real_data) -> None:
    folder = real_data / "neutron" / "step_wedge"
    stack = open_stack(f"{folder}/exp{{exposure}}s_{{mode}}.tif")
    assert stack.shape == (14, 900, 1500)
    at = int(np.flatnonzero((stack["mode"] == "h2o") & (stack["exposure"] == 60))[0])
    np.testing.assert_array_equal(stack[at].values, tifffile.imread(folder / "exp60s_h2o.tif"))


@given(st.integers(2, 30), st.data())
def test_whatever_is_missing_of_a_grid_is_found(tmp_path_factory, count, data) -> None:
    everything = [(m, z) for m in ("ob", "sample") for z in range(count)]
    gone = data.draw(st.sets(st.sampled_from(everything), min_size=1, max_size=3))
    # A value that has vanished altogether cannot be known to have been there.
    lost = [pair for pair in gone if not {z for _, z in gone if _ != pair[0]} & {pair[1]}]
    folder = tmp_path_factory.mktemp("grid")
    for m, z in set(everything) - gone:
        (folder / f"{m}_{z}.tif").touch()
    if not lost or len({m for m, _ in set(everything) - gone}) < 2:
        return
    with pytest.raises(InputError) as caught:
        find_files(f"{folder}/{{mode}}_{{z}}.tif")
    for m, z in lost:
        assert f"{m}_{z}.tif" in str(caught.value)
