from pathlib import Path

import pytest

from beamforge.errors import InputError
from beamforge.recipes.fingerprint import fingerprint
from beamforge.recipes.places import Places


def test_paths_start_at_the_recipes_own_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.tif").touch()
    assert Places("data", str(tmp_path)).find("a.tif") == str(tmp_path / "data" / "a.tif")
    assert Places(None, str(tmp_path)).find("data/a.tif") == str(tmp_path / "data" / "a.tif")


def test_shipped_recipes_find_their_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "neutron").mkdir()
    (tmp_path / "neutron" / "a.tif").touch()
    monkeypatch.setenv("BEAMFORGE_DATA", str(tmp_path))
    assert Places("neutron", None).find("a.tif") == str(tmp_path / "neutron" / "a.tif")


@pytest.mark.parametrize("path", ["run/{mode}_{autocorrelation_length}.tif", "run/scan.h5:/entry/data", "run"])
def test_patterns_and_inner_paths_are_judged_by_what_must_exist(tmp_path: Path, path: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "scan.h5").touch()
    assert Places(None, str(tmp_path)).find(path) == str(tmp_path / path)


def test_every_place_that_was_tried_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"b\.tif: no such file; looked for .*b\.tif"):
        Places(None, str(tmp_path)).find("b.tif")
    with pytest.raises(InputError, match=r"^/nowhere/b\.tif: no such file or folder; check the path$"):
        Places(None, str(tmp_path)).find("/nowhere/b.tif")


def test_a_fingerprint_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for name in ("H0_1.tif", "H1_1.tif"):
        (tmp_path / "run" / name).write_bytes(b"x")
    pattern, folder = str(tmp_path / "run" / "{mode}_1.tif"), str(tmp_path / "run")
    before = fingerprint([pattern]), fingerprint([folder])
    assert before == (fingerprint([pattern]), fingerprint([folder]))
    (tmp_path / "run" / "H1_1.tif").write_bytes(b"longer")
    assert fingerprint([pattern]) != before[0]
    assert fingerprint([folder]) != before[1]
