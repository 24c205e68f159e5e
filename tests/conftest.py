"""Shared by all tests: contract suites run over the examples their subclasses name; real data where present."""

import os
from pathlib import Path

import hypothesis
import matplotlib
import pytest

matplotlib.use("Agg")

# How long an example takes depends on what else the machine does; laws must not fail by that.
hypothesis.settings.register_profile("beamforge", deadline=None)
hypothesis.settings.load_profile("beamforge")

REAL_DATA = Path(os.environ.get("BEAMFORGE_DATA", Path(__file__).parents[2] / "shared" / "data"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a contract test once for each of its class's `examples`."""
    if "example" in metafunc.fixturenames:
        examples = getattr(metafunc.cls, "examples", ())
        metafunc.parametrize("example", examples, ids=[type(e).__name__ + str(i) for i, e in enumerate(examples)])


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real measurements; tests that need it are skipped where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real data at {REAL_DATA}; set BEAMFORGE_DATA to their folder")
    return REAL_DATA
