import numpy as np
import pytest
import tifffile
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import inspect_file, open_stack, save_stack
from beamforge.io.inspection import Inspection
from beamforge.io.sample import bands, statistics_of
from beamforge.stack import Channel, as_stack


def test_values_are_described_as_numpy_does(tmp_path) -> None:
    values = default_rng(0).gamma(2.0, 50.0, (3, 40, 60)).astype(np.float32)
    values[0, 0, :4] = np.nan
    values[1, 0, :2] = np.inf
    values[2] = 7.0
    channels = [Channel(mode=m, autocorrelation_length=10.0) for m in ("H0", "H1", "DF")]
    save_stack(tmp_path / "s.tif", as_stack(values, channels, pixel_size=55.0, units="counts"))
    found = inspect_file(tmp_path / "s.tif")
    finite = values[np.isfinite(values)].astype(np.float64)
    statistics = found.statistics
    assert (statistics.nan, statistics.infinite, statistics.constant, statistics.fraction) == (4, 2, (2,), 1.0)
    assert statistics.mean == pytest.approx(finite.mean())
    assert statistics.sd == pytest.approx(finite.std())
    assert statistics.percentiles[99.0] == pytest.approx(np.percentile(finite, 99))
    assert sum(statistics.histogram) == finite.size
    text = found.render()
    assert "NaN 4, infinite 2" in text
    assert "1 channels hold one value only (DF 10 nm)" in text
    assert "55 µm, values in counts" in text
    assert Inspection.model_validate_json(found.model_dump_json()) == found


def test_a_saturated_detector_is_noticed(tmp_path) -> None:
    values = default_rng(0).integers(0, 60000, (100, 100), dtype=np.uint16)
    values[:5] = 65535
    tifffile.imwrite(tmp_path / "s.tif", values)
    notes = inspect_file(tmp_path / "s.tif").notes
    assert any("5.00% of the values are at the largest uint16" in note for note in notes)


def test_grey_pictures_saved_in_colour_are_noticed(tmp_path) -> None:
    grey = default_rng(0).integers(0, 255, (40, 50, 1), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "g.tif", np.repeat(grey, 3, -1), photometric="rgb")
    assert "red, green and blue look the same; one of them is enough" in inspect_file(tmp_path / "g.tif").notes


def test_a_stack_of_nothing_but_nan(tmp_path) -> None:
    np.save(tmp_path / "n.npy", np.full((4, 5), np.nan, np.float32))
    found = inspect_file(tmp_path / "n.npy")
    assert (found.statistics.nan, found.statistics.low) == (20, None)
    assert "none is finite" in found.render()


def test_a_pattern_is_summed_up(tmp_path) -> None:
    for mode in ("H0", "H1"):
        for length in range(20):
            tifffile.imwrite(tmp_path / f"{mode}_{length}.tif", np.full((4, 5), length, np.uint16))
    text = inspect_file(f"{tmp_path}/{{mode}}_{{autocorrelation_length}}.tif").render()
    assert "pattern of files, stack, 40 files" in text
    assert "40; modes H0, H1" in text
    assert "autocorrelation_length: 20 values from 0 to 19" in text


def test_the_sample_is_bounded_and_spread(monkeypatch) -> None:
    monkeypatch.setattr("beamforge.io.sample._BUDGET", 3000)
    rows = np.arange(500)[:, None] + np.zeros((1, 60))
    stack = as_stack(np.stack([rows, rows + 1000])).chunk({"y": 50})
    statistics = statistics_of(stack.data)
    assert statistics.looked_at <= 3000
    assert statistics.fraction == pytest.approx(statistics.looked_at / stack.size)
    assert (statistics.low, statistics.high) == (0.0, 1499.0)


@pytest.mark.parametrize(("rows", "wanted"), [(10, 10), (10, 99), (100, 7), (100, 1), (1924, 100)])
def test_bands_lie_inside_and_do_not_overlap(rows, wanted) -> None:
    chosen = bands(rows, wanted)
    covered = np.zeros(rows, int)
    for band in chosen:
        covered[band] += 1
    assert covered.max() == 1
    assert 0 < covered.sum() <= max(wanted, 1)


def test_what_is_nothing_is_refused(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match=r"notes\.txt is of no known kind"):
        inspect_file(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="no such file"):
        inspect_file(tmp_path / "none.tif")
    with pytest.raises(InputError, match="folder without images"):
        inspect_file(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"MATLAB 5.0 MAT-file", "save it with -v7.3"),
        (b"version https://git-lfs.github.com/spec/v1", "git LFS"),
        (b"<html>404", "the download failed"),
        (b"PK\x03\x04", "zip archive"),
        (b"", "is empty"),
    ],
)
def test_what_a_file_turns_out_to_be(tmp_path, content, message) -> None:
    (tmp_path / "image.tif").write_bytes(content)
    with pytest.raises(InputError, match=message):
        open_stack(tmp_path / "image.tif")


class TestOverrides:
    @pytest.fixture
    def path(self, tmp_path):
        np.save(tmp_path / "a.npy", np.zeros((2, 4, 5)))
        return tmp_path / "a.npy"

    def test_what_the_caller_says_wins(self, path) -> None:
        stack = open_stack(path, channels=["H0", {"mode": "H1", "omega": 3}], pixel_size=5, units="counts")
        assert stack["mode"].values.tolist() == ["H0", "H1"]
        assert np.isnan(stack["omega"].values[0])
        assert (stack.attrs["pixel_size"], stack.attrs["units"]) == (5.0, "counts")

    def test_wrong_descriptions_are_refused(self, path) -> None:
        with pytest.raises(InputError, match=r"3 channels are described but .*a\.npy has 2"):
            open_stack(path, channels=["a", "b", "c"])
        with pytest.raises(InputError, match="a channel has a mode"):
            open_stack(path, channels=["a", {"mode": "b", "omega": "north"}])
        with pytest.raises(InputError, match="expected a positive length"):
            open_stack(path, pixel_size=-1.0)
