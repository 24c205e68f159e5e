from pathlib import Path

import dask.array
import numpy as np
import pytest

from beamforge.io import open_stack, save_stack
from beamforge.stack import as_stack


@pytest.mark.parametrize("name", ["stack.zarr", "stack.tif"])
def test_each_chunk_of_a_lazy_stack_is_computed_once(tmp_path: Path, name: str) -> None:
    values = np.arange(6 * 5 * 7, dtype=np.float32).reshape(6, 5, 7)
    computed = []

    def look(block: np.ndarray, block_id: tuple[int, ...] = ()) -> np.ndarray:
        computed.append(block_id[0])
        return block

    lazy = dask.array.from_array(values, chunks=(3, 5, 7)).map_blocks(look, meta=values[:0])
    save_stack(tmp_path / name, as_stack(lazy))
    assert computed == [0, 1]
    np.testing.assert_array_equal(open_stack(str(tmp_path / name)).values, values)
