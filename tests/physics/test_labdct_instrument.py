import numpy as np
import pytest
import xarray as xr

from beamforge.errors import InputError
from beamforge.physics.labdct import INSTRUMENTS, Geometry, Instrument, Scintillator, projection_angles


def test_straight_rays_meet_the_beam_centre() -> None:
    geometry = Geometry(shape=(100, 200), beam_centre=(40.0, 90.0), pixel_size=50.0)
    np.testing.assert_allclose(geometry.hits([0.0, 0.0, 0.0], [1.0, 0.0, 0.0]), [40.0, 90.0])
    # Up is towards row 0; to the beam's left (y) is towards column 0.
    np.testing.assert_allclose(geometry.hits([0.0, 0.0, 0.05], [1.0, 0.0, 0.0]), [39.0, 90.0])
    np.testing.assert_allclose(geometry.hits([0.0, 0.05, 0.0], [2.0, 0.0, 0.0]), [40.0, 89.0])
    assert np.isnan(geometry.hits([0.0, 0.0, 0.0], [-1.0, 0.0, 0.1])).all()


def test_a_tilted_detector_is_met_where_two_lines_cross() -> None:
    geometry = Geometry(tilts=(0.0, 0.0, 10.0), pixel_size=10.0, shape=(2000, 2000), sample_to_detector=5.0)
    angle, tilt = np.radians(20.0), np.radians(10.0)
    # In the plane: distance along the tilted detector by the law of sines in the triangle of sample, foot and hit.
    along = 5.0 * np.sin(angle) / np.sin(np.pi / 2 - angle + tilt)
    hit = geometry.hits([0.0, 0.0, 0.0], [np.cos(angle), np.sin(angle), 0.0])
    np.testing.assert_allclose(hit, [999.5, 999.5 - along / 0.01], atol=1e-6)


def test_efficiency_is_what_the_layer_stops() -> None:
    layer = Scintillator(thickness=150.0, swank=0.9)
    low, high = layer.efficiency(np.array([30.0, 100.0]))
    # CsI stops nearly all below its K edges' bulk and a tenth to a seventh at 100 keV (NIST: mu/rho 2.0 cm²/g).
    assert high == pytest.approx(0.9 * (1 - np.exp(-2.04 * 4.51 * 0.015)), rel=0.05)
    assert high < low < 0.9


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_presets_survive_json(name: str) -> None:
    instrument = Instrument.named(name)
    assert Instrument.model_validate_json(instrument.model_dump_json()) == instrument


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sample_to_detector": -11.0}, "behind the beam"),
        ({"sample_to_detector": 0.0}, "behind the beam"),
        ({"tilts": (0.0, 120.0, 0.0)}, "away from the beam"),
        ({"shape": (100, 100), "beam_stop": (10, 120, 10, 50)}, "beam stop"),
    ],
)
def test_impossible_geometries_are_named(settings: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Geometry(**settings)


def test_presets_have_names() -> None:
    with pytest.raises(InputError, match="did you mean 'far-field-iron'"):
        Instrument.named("far-field")
    with pytest.raises(ValueError, match="lower one first"):
        Instrument(energies=(50.0, 20.0))


def test_angles_come_from_the_stack_or_the_user() -> None:
    stack = xr.DataArray(np.zeros((3, 2, 2), np.float32), dims=("channel", "y", "x"))
    with pytest.raises(InputError, match="3 projections carries no rotation angles"):
        projection_angles(stack)
    with pytest.raises(InputError, match=r"2 rotation angles .* 3 projections"):
        projection_angles(stack, [0.0, 2.0])
    with pytest.raises(InputError, match="projection 1 is nan"):
        projection_angles(stack, [0.0, np.nan, 4.0])
    np.testing.assert_array_equal(projection_angles(stack.assign_coords(omega=("channel", [0.0, 2.0, 4.0]))), [0, 2, 4])
