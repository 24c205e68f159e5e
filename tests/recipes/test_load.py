import json
from pathlib import Path

import pytest
import yaml

from beamforge.errors import InputError
from beamforge.recipes import load_recipe, recipe_schema, recipe_text, shipped_recipes
from beamforge.recipes.load import parse_overrides

SMALL = """
name: small
annotated: {kind: infer_phantom, layout: annotated, settings: {size: 128, lengths: 2, longest: 1000}}
unseen: {kind: infer_phantom, layout: unseen, settings: {size: 128, lengths: 2, longest: 1000}}
tile: 64
generators:
  plain:
    steps:
      - {step: checkerboard}
      - {step: johnson_field, fit: {marginal: johnson, correlation: none}}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.mark.parametrize("name", [name for name in shipped_recipes() if name != "measurement"])
def test_every_shipped_recipe_is_valid(name: str) -> None:
    assert load_recipe(name).name == name
    assert shipped_recipes()[name]


def test_the_recipe_for_own_data_says_what_it_needs() -> None:
    with pytest.raises(InputError, match=r"annotated\.(labels|stack) is missing"):
        load_recipe("measurement")
    loaded = load_recipe("measurement", ["annotated.stack=stack.tif", "annotated.labels=mask.tif"])
    assert loaded.annotated.stack == "stack.tif"


def test_the_shipped_schema_is_up_to_date() -> None:
    import beamforge.recipes

    file = Path(beamforge.recipes.__file__).parent / "shipped" / "recipe.schema.json"
    assert json.loads(file.read_text()) == json.loads(recipe_schema()), "write it: beamforge recipes --schema"


def test_overrides_reach_every_depth(recipe: Path) -> None:
    loaded = load_recipe(
        recipe, ["training.epochs=3", "generators.plain.steps.0.width=12", "annotated.settings.lengths=4", "seed=9"]
    )
    assert loaded.training.epochs == 3
    assert loaded.generators["plain"].steps[0]["width"] == 12
    assert loaded.annotated.settings.lengths == 4
    assert loaded.seed == 9


def test_texts_and_lists_in_overrides() -> None:
    assert parse_overrides(["a.b=[1, 2]", "a.c=yes please"]) == {"a": {"b": [1, 2], "c": "yes please"}}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.epoch=3", r"unknown key in training 'epoch'; did you mean 'epochs'\?"),
        ("anotated=3", r"unknown key 'anotated'; did you mean 'annotated'\?"),
        ("annotated.settings.sise=3", r"unknown key in annotated\.settings 'sise'; did you mean 'size'\?"),
        ("annotated.layot=3", r"unknown key in annotated 'layot'; did you mean 'layout'\?"),
        ("generators.plain.step=3", r"unknown key in generators\.plain 'step'; did you mean 'steps'\?"),
        ("training.epochs=-3", r"training\.epochs: .*greater than 0.*found -3"),
        ("network.architecture=unit", r"'unit'; did you mean 'unet'\?"),
        ("annotated.kind=file", "'files'"),
        ("generators={}", "at least 1"),
        ("training", "expected dotted.key=value"),
        ("name.x=1", "single value"),
        ("generators.plain.steps.7.width=1", "list of 2"),
    ],
)
def test_bad_settings_are_named_with_what_would_do(recipe: Path, override: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_recipe(recipe, [override])


def test_an_unknown_recipe_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"did you mean 'step_wedge'\?"):
        load_recipe("stepwedge")
    with pytest.raises(InputError, match=r"did you mean 'infer-demo'\?"):
        recipe_text("infer_demo")


@pytest.mark.parametrize(("text", "words"), [("a: [", "not YAML"), ("- 1\n- 2", "holds list")])
def test_files_that_are_no_recipes(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        load_recipe(path)


def test_a_pattern_of_names_needs_no_quotes_in_an_override() -> None:
    assert parse_overrides(["pictures.masks={stem}_mask.png"]) == {"pictures": {"masks": "{stem}_mask.png"}}
    assert parse_overrides(["samples={training: 3}"]) == {"samples": {"training": 3}}
    with pytest.raises(InputError, match=r"not YAML.*quotes"):
        parse_overrides(["description={a} b"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.yaml"):
        load_recipe(tmp_path / "gone.yaml")


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp", "a/b", "a\\b", "..", ".hidden", "", " ", "a\nb", "x" * 300])
@pytest.mark.parametrize("place", ["name", "generators"])
def test_names_that_would_leave_the_run_folder_are_refused(place: str, name: str, recipe: Path) -> None:
    values = yaml.safe_load(SMALL)
    if place == "name":
        values["name"] = name
    else:
        values["generators"] = {name: values["generators"]["plain"]}
    recipe.write_text(yaml.safe_dump(values))
    with pytest.raises(InputError, match="folder of the run"):
        load_recipe(recipe)


def test_references_that_unfold_without_end_are_refused(recipe: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    recipe.write_text("\n".join(lines))
    with pytest.raises(InputError, match="unfolds"):
        load_recipe(recipe)
    recipe.write_text("a: &a [*a]")
    with pytest.raises(InputError, match="unfolds"):
        load_recipe(recipe)


def test_lists_nested_beyond_reason_are_refused(recipe: Path) -> None:
    recipe.write_text("[" * 20_000)
    with pytest.raises(InputError, match="is not YAML"):
        load_recipe(recipe)
