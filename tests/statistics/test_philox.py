import numpy as np
import pytest
from scipy import stats

from beamforge.statistics.philox import fill_normals, philox


@pytest.mark.parametrize(
    ("counter_and_key", "published"),
    [
        ((0, 0, 0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 6, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_published_known_answers(counter_and_key: tuple, published: tuple) -> None:
    # kat_vectors of Random123, philox4x32 with 10 rounds.
    assert philox(*(np.uint32(word) for word in counter_and_key)) == published


def normals(shape: tuple[int, ...], key: tuple[int, int] = (5, 9), stream: int = 0, part: int = 0) -> np.ndarray:
    out = np.empty(shape, np.float32)
    fill_normals(out, np.array(key, np.uint32), stream, part)
    return out


def test_values_are_normal_far_into_the_tails() -> None:
    z = np.concatenate([normals((1 << 19,), stream=s) for s in range(4)]).astype(np.float64)
    assert stats.kstest(z, "norm").pvalue > 0.001
    for moment, wanted, error in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs(np.mean(z**moment) - wanted) < 4 * np.sqrt(error / z.size)
    for limit in (2.0, 3.0, 4.0, 4.5):
        expected = z.size * stats.norm.sf(limit)
        for count in ((z > limit).sum(), (z < -limit).sum()):
            assert abs(count - expected) < 4 * np.sqrt(expected)


def test_neighbours_streams_and_keys_are_independent() -> None:
    first = normals((512, 512))
    others = {
        "next": np.roll(first, 1),
        "quarter": np.roll(first.ravel(), 256).reshape(first.shape),
        "stream": normals((512, 512), stream=1),
        "part": normals((512, 512), part=1),
        "key": normals((512, 512), key=(6, 9)),
        "squares": normals((512, 512), key=(5, 10)) ** 2 - 1,
    }
    for name, other in others.items():
        assert abs(np.mean(first * other)) < 5 / 512, name


def test_the_length_does_not_change_what_comes_first() -> None:
    np.testing.assert_array_equal(normals((3000,))[:1100], normals((1100,)))


def test_the_extreme_words_give_finite_values() -> None:
    from beamforge.statistics.philox import NORMAL_TABLE

    # The largest magnitude rounds up to the cell that starts at the median: it and the next must be there.
    assert NORMAL_TABLE.size == 31 * 64 + 2
    np.testing.assert_allclose(NORMAL_TABLE[[0, 30 * 64]], -stats.norm.ppf([2.0**-32, 0.25]), rtol=1e-6)
    assert (np.diff(NORMAL_TABLE) <= 0).all()
