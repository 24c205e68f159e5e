from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng
from PIL import Image

from beamforge.errors import InputError
from beamforge.recipes import load_recipe, run
from beamforge.recipes.classification.job import ClassificationJob
from beamforge.recipes.classification.pictures import divide
from beamforge.recipes.stages import Run
from beamforge.simulation.scenarios.cracks import cracks, measured_cracks, measured_profile

SMALL = [
    "tile=32",
    "least=6",
    "samples={training: 24, validation: 8, test: 12}",
    "network={architecture: classifier, encoder: test_resnet}",
    "training={epochs: 1, steps_per_epoch: 3, batch: 8, loss: cross_entropy, keep: last}",
    "real={}",
    "fine_tuning={learning_rate: 0.0005}",
]


def write_pictures(folder: Path, count: int, probability: float, size: int = 72) -> None:
    """Write simulated pictures and masks as a user's own would be: of mixed sizes and modes."""
    folder.mkdir()
    modes = ("grey", "colour", "alpha", "deep")
    for index in range(count):
        sample = cracks(tile=size + 8 * (index % 3), probability=probability)(11, index)
        grey = np.rint(sample.image[0] * 255).astype(np.uint8)
        picture = {
            "grey": grey,
            "colour": np.stack([grey] * 3, axis=-1),
            "alpha": np.stack([grey] * 3 + [np.full_like(grey, 255)], axis=-1),
            "deep": np.rint(sample.image[0] * 65535).astype(np.uint16),
        }[modes[index % 4]]
        Image.fromarray(picture).save(folder / f"{index}.png")
        Image.fromarray((sample.labels * 255).astype(np.uint8)).save(folder / f"{index}_mask.png")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write_pictures(folder / "cracked", 6, 1.0)
    write_pictures(folder / "free", 5, 0.0)
    for mask in (folder / "free").glob("*_mask.png"):
        mask.unlink()
    return folder


def own(folders: Path, *more: str) -> list[str]:
    return [
        *SMALL,
        f"pictures.annotated=['{folders / 'cracked'}']",
        "pictures.masks='{stem}_mask.png'",
        f"pictures.free=['{folders / 'free'}']",
        *more,
    ]


def test_without_data_the_shipped_recipe_trains_on_what_is_built_in(tmp_path: Path) -> None:
    outcome = run(load_recipe("cracks", SMALL), tmp_path / "run")
    assert set(outcome.scores()) == {"synthetic"}
    assert set(outcome.scores()["synthetic"]) == {"error on simulated", "balanced error on simulated"}
    assert outcome.report.stat().st_size > 10_000
    again = run(load_recipe("cracks", SMALL), tmp_path / "run")
    assert again.scores() == outcome.scores()


def test_the_recipe_has_the_figures_of_the_built_in_scenario(tmp_path: Path) -> None:
    built = load_recipe("cracks").scenario(Run(tmp_path))
    expected = cracks(tile=96)
    assert built.steps[0] == measured_cracks(tile=96)
    assert built.steps[2] == measured_profile()
    assert [step.to_dict() for step in built.steps] == [step.to_dict() for step in expected.steps]


def test_with_pictures_it_learns_compares_and_classifies(folders: Path, tmp_path: Path) -> None:
    images = f"images=['{folders / 'free'}']"
    outcome = run(load_recipe("cracks", own(folders, images)), tmp_path / "run")
    scores = outcome.scores()
    assert set(scores) == {"synthetic", "real", "mixed"}
    assert all("error on measured" in row for row in scores.values())
    with outcome.files["classes of tiles"].open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {Path(row["file"]).parent.name for row in rows} == {"free"}
    for row in rows:
        probabilities = {name: float(row[f"p({name})"]) for name in ("error-free", "crack")}
        assert sum(probabilities.values()) == pytest.approx(1.0, abs=2e-4)
        assert row["class"] == max(probabilities, key=probabilities.__getitem__)
    report = outcome.report.read_text(encoding="utf-8")
    flagged = {row["file"] for row in rows if row["class"] == "crack"}
    assert f"calls tiles of {len(flagged)} of 5 pictures crack" in report
    assert "not known" not in report


def test_pictures_to_classify_are_checked_before_anything_is_trained(folders: Path, tmp_path: Path) -> None:
    changes = [*SMALL, f"images=['{folders / 'free'}']", "tile=76"]
    with pytest.raises(InputError, match=r"smaller than a tile of 76 px \(72×72\).*`images`"):
        run(load_recipe("cracks", changes), tmp_path / "run")
    assert not (tmp_path / "run" / "samples").exists()


def test_the_parts_share_no_picture_and_both_have_both_classes(folders: Path, tmp_path: Path) -> None:
    for seed in range(3):
        recipe = load_recipe("cracks", own(folders, f"seed={seed}"))
        job = ClassificationJob(recipe, Run(tmp_path / str(seed)))
        job.divide()
        train, test = job.part("train"), job.part("test")
        assert {p.path for p in train}.isdisjoint(p.path for p in test)
        assert len(train) + len(test) == 11
        for part in (train, test):
            marked = [bool(p.labels.values.any()) for p in part]
            assert any(marked)
            assert not all(marked)


def test_a_changed_mask_or_picture_of_any_kind_makes_a_run_begin_anew(tmp_path: Path) -> None:
    write_pictures(tmp_path / "cracked", 4, 1.0)
    write_pictures(tmp_path / "free", 2, 0.0)
    whole = [
        f"pictures.whole=['{tmp_path / 'free' / '*_mask.png'}']",
        f"pictures.free=['{tmp_path / 'free' / '?.png'}']",
    ]

    def key() -> str:
        job = ClassificationJob(load_recipe("cracks", [*own(tmp_path), *whole]), Run(tmp_path / "run"))
        job.divide()
        return job.run.keys["pictures"]

    keys = [key(), key()]
    for file in (tmp_path / "cracked" / "2_mask.png", tmp_path / "free" / "1_mask.png"):
        with Image.open(file) as mask:
            changed = np.array(mask)
        changed[:9, :9] = 255
        Image.fromarray(changed).save(file)
        keys.append(key())
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_cracked_pictures_alone_teach_no_texture(folders: Path, tmp_path: Path) -> None:
    changes = [change for change in own(folders) if "pictures.free" not in change]
    with pytest.raises(InputError, match=r"0 of 6 pictures show the class 'error-free'.*pictures\.free"):
        run(load_recipe("cracks", changes), tmp_path / "run")


def test_pictures_without_any_crack_are_named(folders: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for file in (folders / "free").glob("*.png"):
        with Image.open(file) as picture:
            Image.fromarray(np.zeros(picture.size[::-1], np.uint8)).save(masks / file.name)
    changes = [*SMALL, f"pictures.annotated=['{folders / 'free'}']", f"pictures.masks='{masks}/{{stem}}.png'"]
    with pytest.raises(InputError, match="0 of 5 pictures show the class 'crack'"):
        run(load_recipe("cracks", changes), tmp_path / "run")


def test_inverted_masks_and_small_pictures_are_named(folders: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="look inverted"):
        run(load_recipe("cracks", own(folders, "pictures.inverted=true")), tmp_path / "a")
    with pytest.raises(InputError, match="smaller than a tile of 76 px"):
        run(load_recipe("cracks", own(folders, "tile=76")), tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("pictures={}", "annotated names no pictures"),
        ("pictures={annotated: [x], same: '('}", "is no regular expression"),
        ("network={architecture: unet}", "does not classify"),
        ("real={epocs: 3}", "epocs"),
        ("pictures={annotated: [nowhere/*.jpg]}", "nowhere"),
        ("generator.steps=[{step: brushed_metal, fit: {}}]", "nothing to fit"),
        ("generator.steps=[{step: cracks, fit: {}}]", "put it under `learnt`"),
        ("generator.classes=[crack, crack]", "repeat"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(load_recipe("cracks", [*SMALL, change]), tmp_path / "run")


def test_options_of_a_fit_are_checked(folders: Path, tmp_path: Path) -> None:
    wrong = "generator.steps=[{step: cracks, learnt: {step: cracks, fit: {tiel: 3}}}]"
    with pytest.raises(InputError, match="tiel"):
        run(load_recipe("cracks", own(folders, wrong)), tmp_path / "run")


def test_pictures_of_one_class_each_need_no_masks(tmp_path: Path) -> None:
    for name, probability in (("bad", 1.0), ("good", 0.0)):
        write_pictures(tmp_path / name, 3, probability)
        for mask in (tmp_path / name).glob("*_mask.png"):
            mask.unlink()
    changes = [f"pictures.whole=['{tmp_path / 'bad'}']", f"pictures.free=['{tmp_path / 'good'}']"]
    recipe = load_recipe("cracks", [*SMALL, *changes])
    outcome = run(recipe, tmp_path / "run")
    assert set(outcome.scores()) == {"synthetic", "real", "mixed"}
    job = ClassificationJob(recipe, Run(tmp_path / "run"))
    job.divide()
    job.build()
    # Nothing says where the cracks are: the built-in ones are simulated.
    assert job.scenario.steps[0] == measured_cracks(tile=32)
    tiles = job.tiles("measured")
    counts = tiles.counts()
    assert counts["crack"] > 0
    assert counts["error-free"] > 0
    saved = json.loads((tmp_path / "run" / "networks" / "mixed" / "model" / "model.json").read_text())
    assert saved["provenance"]["simulated"] is True


def test_specimens_stay_whole(folders: Path, tmp_path: Path) -> None:
    """Pictures 0 and 3, 1 and 4, 2 and 5 of either folder are taken for one specimen each."""
    recipe = load_recipe("cracks", own(folders, r"pictures.same='([0-9])\.png'", "pictures.test=0.4"))
    pictures = ClassificationJob(recipe, Run(tmp_path)).pictures
    assert len(pictures) == 11
    named = [picture._replace(path=Path(f"s{int(picture.path.stem) % 3}_{picture.path.name}")) for picture in pictures]
    for seed in range(5):
        cracked, free = ([p for p in named if bool(p.labels.values.any()) == wanted] for wanted in (True, False))
        chosen = [*cracked, *(p._replace(path=Path("f" + p.path.name)) for p in free)]
        parts = divide(chosen, 0.4, default_rng(seed), r"(f?s\d)_")
        found = [{chosen[n].path.name.split("_")[0] for n in numbers} for numbers in parts.values()]
        assert not found[0] & found[1]
        assert sorted([*parts["train"], *parts["test"]]) == list(range(11))
    with pytest.raises(InputError, match=r"pictures\.same is 'exp', which finds nothing in the name s0_0\.png"):
        divide(named, 0.4, default_rng(0), "exp")
    with pytest.raises(InputError, match=r"leaves a single specimen with marks among 1"):
        divide(named, 0.4, default_rng(0), "s")


def test_few_labelled_tiles_are_as_many_of_either_class(folders: Path, tmp_path: Path) -> None:
    recipe = load_recipe("cracks", own(folders, "pictures.labelled=7", "augmentation=[]"))
    job = ClassificationJob(recipe, Run(tmp_path))
    job.divide()
    tiles = job._real_tiles(8, seed=1)
    marked = [int((tiles.arrays(number)[1] == 1).sum()) for number in range(len(tiles))]
    assert len(marked) == 7
    assert sum(count >= 6 for count in marked) in (3, 4)
    assert all(count >= 6 or count == 0 for count in marked)


def test_tiles_of_all_pictures_show_marks_about_as_often_as_not(folders: Path, tmp_path: Path) -> None:
    job = ClassificationJob(load_recipe("cracks", own(folders, "augmentation=[]")), Run(tmp_path))
    job.divide()
    tiles = job._real_tiles(8, seed=1)
    marked = sum(bool((tiles.arrays(number)[1] == 1).any()) for number in range(400))
    # Three quarters are of pictures with cracks: half of these are centred on one, some of the rest show one too.
    assert 0.35 * 400 < marked < 0.75 * 400


def test_rehearsal_puts_a_simulated_tile_after_each_real_one_of_the_mixed_network(
    folders: Path, tmp_path: Path
) -> None:
    recipe = load_recipe("cracks", own(folders, "pictures.labelled=4", "augmentation=[]", "rehearsal=true"))
    job = ClassificationJob(recipe, Run(tmp_path))
    for stage in (job.divide, job.build, job.simulate):
        stage()
    mixed, real, simulated = (job._tiles_to_train(row, 8, seed=1) for row in ("mixed", "real", "synthetic"))
    assert not real.endless
    for number in range(12):
        source = (real, simulated)[number % 2]
        np.testing.assert_array_equal(mixed.arrays(number)[0], source.arrays(number // 2 % len(source))[0])
