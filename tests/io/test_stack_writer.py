from pathlib import Path

import numpy as np
import pytest

from beamforge.errors import BeamforgeError, InputError
from beamforge.io import open_stack
from beamforge.io.stack_writer import open_stack_writer
from beamforge.stack import Channel, as_stack, channels_of

VALUES = np.arange(3 * 11 * 7, dtype=np.uint16).reshape(3, 11, 7)
STACK = as_stack(VALUES, [Channel(mode="H0", omega=float(i)) for i in range(3)], pixel_size=44.0, units="DN")


@pytest.mark.parametrize("name", ["stack.tif", "stack.zarr"])
def test_strips_in_any_order_come_back_with_all_that_is_known(tmp_path: Path, name: str) -> None:
    with open_stack_writer(tmp_path / name, STACK) as write:
        for channel in (2, 0, 1):
            for row in (5, 0, 10):
                write(channel, row, VALUES[channel, row : row + 5])
    written = open_stack(tmp_path / name)
    np.testing.assert_array_equal(written.values, VALUES)
    assert written.dtype == np.uint16
    assert channels_of(written) == channels_of(STACK)
    assert written.attrs["units"] == "DN"
    assert written.attrs["pixel_size"] == pytest.approx(44.0)


@pytest.mark.parametrize("name", ["stack.tif", "stack.zarr"])
def test_missing_rows_leave_what_was_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(BeamforgeError, match="22 of 33 rows"), open_stack_writer(tmp_path / name, STACK) as write:
        write(0, 0, VALUES[0])
    assert not list(tmp_path.iterdir())


def test_rows_of_another_kind_and_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="float64"), open_stack_writer(tmp_path / "stack.tif", STACK) as write:
        write(0, 0, VALUES[0].astype(np.float64))
    with pytest.raises(InputError, match=r"not as '\.png'"), open_stack_writer(tmp_path / "stack.png", STACK):
        pass
