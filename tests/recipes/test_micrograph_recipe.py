import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from beamforge.files import sha256
from beamforge.io import open_labels
from beamforge.learning import Segmenter
from beamforge.recipes import load_recipe, run
from beamforge.recipes.load import recipe_text
from beamforge.recipes.predictors import load_predictor
from beamforge.recipes.verbs import load_scenario, simulate
from beamforge.simulation import Scenario
from beamforge.simulation.dataset import open_dataset
from beamforge.simulation.intensities.grain_greylevels import GrainGreylevels
from beamforge.simulation.scenes.voronoi_grains import VoronoiGrains
from beamforge.stack import Channel, Classes

QUICK = [
    "tile=64",
    "test=2",
    "validation=2",
    "bootstrap=20",
    "network={architecture: residual, options: {width: 4, blocks: 1}}",
    "training={epochs: 1, steps_per_epoch: 2, batch: 2, keep: last, threads: 1, device: cpu}",
    "fine_tuning.training={epochs: 1, steps_per_epoch: 2}",
    "orientations=false",
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated micrographs with their masks, in folders as a user has them; 3 micrographs of 2 parts."""
    scenario = Scenario(
        steps=(VoronoiGrains(tile=80, diameter=30.0), GrainGreylevels(channels=3)),
        classes=Classes(names=("grain", "boundary")),
        channels=(Channel(), Channel(), Channel()),
    )
    home = tmp_path_factory.mktemp("pictures")
    for folder in ("images", "masks"):
        (home / folder).mkdir()
    for number, name in enumerate(f"{group}-{part}" for group in "abc" for part in (1, 2)):
        sample = scenario(3, number)
        image = np.clip(sample.image, 0, 255).astype(np.uint8).transpose(1, 2, 0)
        Image.fromarray(image).save(home / "images" / f"{name}.png")
        Image.fromarray(sample.labels * np.uint8(255)).save(home / "masks" / f"{name}.png")
    return home


def test_without_data_everything_is_built_in(tmp_path: Path) -> None:
    result = run(load_recipe("grains", QUICK), tmp_path / "run")
    assert "Trained on simulation alone" in result.report.read_text()
    scores = result.scores()
    assert {"grains", "Voronoi + Gaussian noise", "gradient threshold", "ridge threshold"} == set(scores)
    figures = {f"{name} on simulated" for name in ("mean IoU", "boundary F", "adapted Rand error")}
    assert all(set(row) == figures for row in scores.values())
    assert (result.files["model"] / "model.safetensors").is_file()


def test_with_pictures_the_look_is_learnt_and_few_teach_and_others_judge(pictures: Path, tmp_path: Path) -> None:
    settings = [
        *QUICK,
        f"images={pictures / 'images' / 'a-*.png'}",
        f"annotated.images={pictures / 'images'}",
        f"annotated.masks={pictures / 'masks'}",
        "annotated.group='[^-]+'",
        "annotated.few=2",
        "annotated.learn=[a, b]",
    ]
    folder = tmp_path / "run"
    recipe = load_recipe("grains", settings)
    result = run(recipe, folder)
    assert "grains + 2 annotated pictures" in result.scores()
    parts = json.loads((folder / "pictures" / "parts.json").read_text())
    assert parts == {"few": ["a-1.png", "b-1.png"], "judged": ["c-1.png", "c-2.png"], "look": ["a-1.png", "a-2.png"]}
    _check_segmentation(folder / "segmentation", pictures)
    model = json.loads((folder / "networks" / "grains + 2 annotated pictures" / "model" / "model.json").read_text())
    # Masks were drawn 4 px wide.
    assert model["provenance"]["drawn_width"] == pytest.approx(4.0, abs=0.6)
    look = Scenario.load(folder / "generators" / "grains" / "scenario").steps[1]
    assert isinstance(look, GrainGreylevels)
    assert len(look.appearance.micrographs) == 2
    page = result.report.read_text()
    assert all(f"{name}, its upper left corner" in page for name in ("a-1.png", "a-2.png"))
    again = recipe.write_report(_finished(folder))
    assert again.read_text().count("<svg") == result.report.read_text().count("<svg")


def test_annotation_that_comes_later_leaves_the_networks_and_every_row_is_a_mean_of_members(
    pictures: Path, tmp_path: Path
) -> None:
    settings = [*QUICK, "members=2", f"images={pictures / 'images' / 'a-*.png'}"]
    folder = tmp_path / "run"
    result = run(load_recipe("grains", settings), folder)
    first, second = (Segmenter.load(result.files["model"] / name) for name in ("1", "2"))
    weights = [one.network.state_dict() for one in (first, second)]
    assert any(not np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert load_predictor(result.files["model"]).halo == max(first.halo, second.halo)
    before = _networks(folder)
    annotated = [f"annotated.{kind}={pictures / kind}" for kind in ("images", "masks")]
    taught = ["annotated.group='[^-]+'", "annotated.few=2", "annotated.learn=[a, b]"]
    result = run(load_recipe("grains", [*settings, *annotated, *taught]), folder)
    after = _networks(folder)
    assert {name: after[name] for name in before} == before
    tuned = Segmenter.load(folder / "networks" / "grains + 2 annotated pictures" / "model" / "2")
    assert tuned.description.provenance["share_of_fine_tuned_weights"] == 0.5
    # Every network goes on from its own predecessor, whose scaling it keeps.
    scalings = [one.description.scaling.offset for one in (first, second, tuned)]
    np.testing.assert_array_equal(scalings[2], scalings[1])
    assert not np.array_equal(scalings[2], scalings[0])
    assert "grains, network 2" in result.report.read_text()


def _networks(folder: Path) -> dict[str, str]:
    return {place.name: sha256(place) for place in (folder / "networks").iterdir()}


def _finished(folder: Path):
    from beamforge.recipes.stages import Run

    stages = Run(folder)
    stages.recall()
    return stages


def _check_segmentation(folder: Path, pictures: Path) -> None:
    sizes = json.loads((folder / "grains.json").read_text())
    assert set(sizes) == {"a-1.png", "a-2.png"}
    labels = open_labels(folder / "a-1_labels.tif")
    assert labels.shape == (80, 80)
    grains = tifffile.imread(folder / "a-1_grains.tif")
    assert grains.shape == (80, 80)
    assert grains.max() >= 1
    assert set(np.unique(grains)) == set(range(1, grains.max() + 1))


def test_the_look_of_pictures_in_simulated_samples(pictures: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    changes = ["tile=64", f"appearance_from={pictures / 'images'}"]
    simulate("grains", 2, tmp_path / "data.zarr", changes=changes)
    samples = open_dataset(tmp_path / "data.zarr")
    assert samples[0].image.shape == (3, 64, 64)
    assert len(load_scenario("grains", changes=changes).steps[1].appearance.micrographs) == 6


def test_a_changed_thickness_is_the_one_drawn() -> None:
    from beamforge.recipes.micrographs.looks import with_thickness

    scenario = Scenario(
        steps=(VoronoiGrains(tile=64, thickness=3.0), GrainGreylevels()),
        classes=Classes(names=("grain", "boundary")),
        channels=(Channel(),),
    )
    wider = with_thickness(scenario, 6.0)
    assert (wider(1, 1).labels == 1).mean() > 1.5 * (scenario(1, 1).labels == 1).mean()
    np.testing.assert_array_equal(wider(1, 1).extras["grains"], scenario(1, 1).extras["grains"])


def test_the_shipped_text_says_how_to_use_ones_own_pictures() -> None:
    assert "--set images=" in recipe_text("grains")
