import importlib
import inspect

import pytest

import beamforge
from beamforge.cli import _VERBS

# These print what other functions say, or need no file: the functions are elsewhere.
WITHOUT = {"recipes": "beamforge.recipes.shipped_recipes", "materials": "beamforge.physics.materials"}


@pytest.mark.parametrize("name", beamforge.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(beamforge, name) is not None


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb_is_a_public_function(verb: str) -> None:
    importlib.import_module(f"beamforge.cli.{verb}")
    if verb not in WITHOUT:
        assert inspect.isfunction(getattr(beamforge, verb))
