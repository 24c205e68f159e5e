import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.io import open_stack
from contracts.reader import ReaderContract


class TestNpy(ReaderContract):
    name, suffix = "NPY", ".npy"

    def write(self, path, values):
        np.save(path, values)


class TestNpyBigEndianFloats(ReaderContract):
    name, suffix, dtype = "NPY", ".npy", "float64"

    def write(self, path, values):
        np.save(path, values.astype(">f8"))


def test_pickled_objects_are_refused(tmp_path) -> None:
    np.save(tmp_path / "o.npy", np.array([[{}, 1]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="type object"):
        open_stack(tmp_path / "o.npy")


@pytest.mark.parametrize(("values", "message"), [(np.zeros(5), "shape"), (np.zeros((4, 5), complex), "complex")])
def test_what_is_no_image_is_refused(tmp_path, values, message) -> None:
    np.save(tmp_path / "o.npy", values)
    with pytest.raises(InputError, match=message):
        open_stack(tmp_path / "o.npy")
