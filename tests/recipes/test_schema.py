from pathlib import Path

import pytest
import yaml

from beamforge.errors import InputError
from beamforge.recipes import load_recipe, run
from beamforge.recipes.schema import RecipeBase, recipe_class, recipe_kinds
from beamforge.recipes.stages import Run


def test_every_kind_is_a_module_with_one_recipe_of_that_name() -> None:
    assert "measurement" in recipe_kinds()
    for kind in recipe_kinds():
        found = recipe_class(kind)
        assert issubclass(found, RecipeBase)
        assert found.model_fields["kind"].default == kind
        assert found.__module__ == f"beamforge.recipes.kinds.{kind}"


def test_a_recipe_without_a_kind_is_of_the_main_job(tmp_path: Path) -> None:
    assert load_recipe("infer-demo").kind == "measurement"


def test_an_unknown_kind_names_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("{name: own, kind: mesurement}")
    with pytest.raises(InputError, match=r"own\.yaml.*'mesurement'; did you mean 'measurement'\?"):
        load_recipe(path)


def test_kinds_that_simulate_nothing_say_so(tmp_path: Path) -> None:
    class Nothing(RecipeBase):
        kind: str = "nothing"

        def run(self, stages: Run) -> None:  # type: ignore[override]
            return None

        def write_report(self, stages: Run) -> Path:
            return Path()

    with pytest.raises(InputError, match=r"own: a recipe of the kind 'nothing' holds no generator"):
        Nothing(name="own").scenario(Run(tmp_path))


def test_the_kept_recipe_finds_the_data_from_anywhere(tmp_path: Path) -> None:
    class Finder(RecipeBase):
        kind: str = "finder"

        def run(self, stages: Run) -> str:  # type: ignore[override]
            return self.places.find("frames/a.tif")

        def write_report(self, stages: Run) -> Path:
            return Path()

    data = tmp_path / "home" / "data"
    (data / "frames").mkdir(parents=True)
    (data / "frames" / "a.tif").touch()
    recipe = Finder(name="own", folder="data", home=str(tmp_path / "home"))
    assert run(recipe, tmp_path / "run") == str(data / "frames" / "a.tif")
    kept = yaml.safe_load((tmp_path / "run" / "recipe.yaml").read_text())
    again = Finder(**kept, home=str(tmp_path / "run"))
    assert again.places.find("frames/a.tif") == str(data / "frames" / "a.tif")
