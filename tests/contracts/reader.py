"""What every reader must do; a test file for a reader inherits `ReaderContract` and says how a file is made."""

from __future__ import annotations

import pickle
import shutil
import warnings
from pathlib import Path
from typing import ClassVar

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import inspect_file, open_stack
from beamforge.io.reader import recognise


class ReaderContract:
    """Inherit, set `name` and `suffix`, and write `write`."""

    name: ClassVar[str]
    suffix: ClassVar[str]
    dtype: ClassVar[str] = "uint16"
    shape: ClassVar[tuple[int, int, int]] = (3, 37, 53)

    def write(self, path: Path, values: np.ndarray) -> None:
        """Write (channel, y, x) to a file of the format."""
        raise NotImplementedError

    def expected(self, values: np.ndarray) -> xr.DataArray | None:
        """The stack with coordinates and attributes that must come back, if the format carries any."""
        return None

    @pytest.fixture
    def values(self) -> np.ndarray:
        rng = default_rng(5)
        if np.dtype(self.dtype).kind == "f":
            return rng.normal(100, 30, self.shape).astype(self.dtype)
        return rng.integers(0, np.iinfo(self.dtype).max, self.shape, endpoint=True, dtype=self.dtype)

    @pytest.fixture
    def path(self, tmp_path: Path, values: np.ndarray) -> Path:
        path = tmp_path / f"measured{self.suffix}"
        self.write(path, values)
        return path

    def payload(self, path: Path) -> Path:
        """The file that holds the pixels: the path itself, or the largest file inside."""
        inside = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        return max(inside, key=lambda p: p.stat().st_size)

    def test_is_recognised_by_content(self, path: Path) -> None:
        other = path.with_name("something.else")
        path.rename(other)
        assert recognise(other).name == self.name

    def test_values_and_type_come_back(self, path: Path, values: np.ndarray) -> None:
        stack = open_stack(path)
        assert stack.dims == ("channel", "y", "x")
        assert stack.dtype == values.dtype
        assert stack.dtype.isnative
        np.testing.assert_array_equal(stack.values, values)

    def test_coordinates_and_attributes_come_back(self, path: Path, values: np.ndarray) -> None:
        expected = self.expected(values)
        if expected is None:
            pytest.skip("the format carries none")
        stack = open_stack(path)
        for name, coordinate in expected.coords.items():
            np.testing.assert_array_equal(stack[name].values, coordinate.values)
            assert stack[name].attrs == coordinate.attrs
        for name, value in expected.attrs.items():
            assert stack.attrs[name] == value if isinstance(value, str) else stack.attrs[name] == pytest.approx(value)

    def test_pixels_are_read_only_when_asked_for(self, path: Path) -> None:
        stack = open_stack(path)
        assert isinstance(stack.data, da.Array)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        # Had the pixels been read already, they would be there.
        with pytest.raises(InputError, match=path.stem):
            stack.values  # noqa: B018

    def test_windows_are_parts_of_the_whole(self, path: Path, values: np.ndarray) -> None:
        stack = open_stack(path)
        rng = default_rng(11)
        for _ in range(25):
            key = tuple(self._some_slice(rng, side) for side in values.shape)
            np.testing.assert_array_equal(stack[key].values, values[key])
        np.testing.assert_array_equal(stack[1, ::-3, 5].values, values[1, ::-3, 5])
        assert stack[:, 4:4].values.shape == (3, 0, values.shape[2])

    @staticmethod
    def _some_slice(rng: np.random.Generator, side: int) -> slice | int:
        low, high = sorted(rng.integers(0, side + 1, 2).tolist())
        return int(rng.integers(side)) if rng.random() < 0.3 else slice(low, high, int(rng.integers(1, 4)))

    def test_it_travels_to_other_processes(self, path: Path, values: np.ndarray) -> None:
        again = pickle.loads(pickle.dumps(open_stack(path)))
        np.testing.assert_array_equal(again.values, values)

    def test_threads_read_together(self, path: Path, values: np.ndarray) -> None:
        stack = open_stack(path)
        again = stack.data.rechunk((1, 5, -1)).compute(scheduler="threads", num_workers=8)
        np.testing.assert_array_equal(again, values)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=f"absent{self.suffix}: no such file"):
            open_stack(tmp_path / f"absent{self.suffix}")

    def test_a_truncated_file_is_named_or_whole(self, path: Path, values: np.ndarray) -> None:
        payload = self.payload(path)
        whole = payload.read_bytes()
        named = 0
        for share in (0.02, 0.2, 0.5, 0.8, 0.99):
            payload.write_bytes(whole[: int(len(whole) * share)])
            message = self.attempt(path, expected=values)
            named += path.name in message
            assert not message or path.name in message
        assert named >= 4

    @staticmethod
    def attempt(path: Path, expected: np.ndarray | None = None, **options: int) -> str:
        """Read a damaged file: give the message of its InputError, or check the values that come out."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                values = open_stack(path, **options).values
            except InputError as error:
                return str(error)
        if expected is not None:
            np.testing.assert_array_equal(values, expected)
        return ""

    def test_an_empty_file_is_named(self, path: Path) -> None:
        self.payload(path).write_bytes(b"")
        with pytest.raises(InputError, match=path.name):
            open_stack(path).values  # noqa: B018

    def test_other_content_under_its_name_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / f"notes{self.suffix}"
        path.write_bytes(b"this is a text about neutrons\n" * 50)
        with pytest.raises(InputError, match=f"notes{self.suffix} is named like {self.name} but"):
            open_stack(path)

    def test_a_declared_size_over_the_cap_is_refused(self, path: Path, values: np.ndarray) -> None:
        with pytest.raises(InputError, match=f"max_bytes={values.nbytes}"):
            open_stack(path, max_bytes=values.nbytes - 1)

    def test_damaged_bytes_give_an_input_error_or_values(self, path: Path) -> None:
        payload = self.payload(path)
        whole = payload.read_bytes()
        rng = default_rng(13)
        for _ in range(60):
            damaged = bytearray(whole)
            reach = min(len(whole), 1024) if rng.random() < 0.7 else len(whole)
            for at in rng.integers(0, reach, rng.integers(1, 6)):
                damaged[at] = rng.integers(256)
            payload.write_bytes(bytes(damaged))
            message = self.attempt(path, max_bytes=2**24)
            assert not message or path.stem in message

    def test_inspect_shows_it(self, path: Path, values: np.ndarray) -> None:
        found = inspect_file(path)
        assert found.format == self.name
        assert found.shape == values.shape
        assert found.statistics.low == values.min()
        assert found.statistics.mean == pytest.approx(values.mean(dtype=np.float64))
        text = found.render()
        assert path.name in text
        assert values.dtype.name in text
