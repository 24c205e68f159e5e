import json
import subprocess
import sys
from pathlib import Path

import pytest

from beamforge import __version__
from beamforge.errors import InputError
from beamforge.reporting.claims import main, page_of, read_claims, record, render

ROOT = Path(__file__).parents[2]


def write(folder: Path, id: str = "wedge-60s-miou", value: float = 0.961, **changes) -> Path:
    settings = {
        "interval": (0.955, 0.966),
        "unit": "",
        "command": "beamforge run step_wedge",
        "seconds": 321.0,
        "peer": "0.950, Gaussian per-pixel model",
        "target": ">= 0.955",
    }
    return record(id, "mIoU on the 60 s exposure", value, **{**settings, **changes}, folder=folder)


def test_a_claim_keeps_what_was_measured_and_where(tmp_path: Path) -> None:
    content = json.loads(write(tmp_path, note="One seed.").read_text())
    assert content["value"] == 0.961
    assert content["interval"] == [0.955, 0.966]
    assert content["version"] == __version__
    assert content["note"] == "One seed."
    assert content["met"] is True
    assert set(content["machine"]) >= {"processor", "cores"}
    assert content["machine"]["cores"] >= 1


@pytest.mark.parametrize(
    ("value", "target", "met"),
    [(1.0, ">= 1", True), (1.0, "> 1", False), (9.5, "<= 10", True), (10.0, "< 10.0", False), (3e8, "> 1.5e8", True)],
)
def test_targets(tmp_path: Path, value: float, target: str, met: bool) -> None:
    write(tmp_path, value=value, interval=None, target=target)
    assert read_claims(tmp_path)[0].met is met


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": "Wedge 60"}, "id"),
        ({"value": float("nan")}, "value"),
        ({"interval": (0.9, 0.8)}, "lower end"),
        ({"target": "about 0.9"}, "about 0.9"),
        ({"command": ""}, "command"),
        ({"seconds": -1.0}, "seconds"),
    ],
)
def test_what_cannot_be_a_claim_is_refused_and_nothing_is_written(tmp_path: Path, changes: dict, named: str) -> None:
    with pytest.raises(InputError, match=named):
        write(tmp_path / "results", **changes)
    assert not (tmp_path / "results").exists()


def test_the_page_shows_ours_beside_theirs_and_what_fell_short(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, "wedge-20s-miou", 0.931, interval=None, peer={"scipy": 12.5, "version": "1.17"})
    page = render(read_claims(tmp_path))
    table, short = page.split("## What fell short")
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == ["wedge-20s-miou", "wedge-60s-miou"]
    assert "scipy 12.5, version 1.17" in rows[0]
    assert "0.961 [0.955, 0.966]" in rows[1]
    assert "≥ 0.955 (met)" in rows[1]
    assert "0.950, Gaussian per-pixel model" in rows[1]
    assert "`beamforge run step_wedge`" in rows[1]
    assert "wedge-20s-miou" in short.split("##")[0]
    assert "wedge-60s-miou" not in short.split("##")[0]


def test_table_cells_cannot_break_the_table(tmp_path: Path) -> None:
    write(tmp_path, peer="a | b\nc")
    assert "a \\| b c" in render(read_claims(tmp_path))


def test_the_order_of_writing_does_not_matter(tmp_path: Path) -> None:
    for folder, ids in (("one", ("a", "b-2")), ("two", ("b-2", "a"))):
        for id in ids:
            write(tmp_path / folder, id)
    assert render(read_claims(tmp_path / "one")) == render(read_claims(tmp_path / "two"))


def test_a_file_that_is_no_claim_is_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "speed": 3}))
    with pytest.raises(InputError, match=r"wedge-60s-miou\.json.*speed"):
        read_claims(tmp_path)


def test_a_renamed_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.rename(tmp_path / "other.json")
    with pytest.raises(InputError, match=r"other\.json"):
        read_claims(tmp_path)


def test_the_module_writes_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    write(folder, value=0.5)
    command = [sys.executable, "-m", "beamforge.reporting.claims", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "1 claims, 1 fell short" in done.stdout
    assert page_of(folder).read_text() == render(read_claims(folder))


def test_a_folder_without_claims_gives_a_page_that_says_so(tmp_path: Path) -> None:
    main([str(tmp_path / "results")])
    assert "No figure has been measured yet" in (tmp_path / "results.md").read_text()


def test_the_results_page_is_up_to_date() -> None:
    folder = ROOT / "docs" / "results"
    page = page_of(folder).read_text(encoding="utf-8")
    assert page == render(read_claims(folder)), "run python -m beamforge.reporting.claims"
