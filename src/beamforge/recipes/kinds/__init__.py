"""The kinds of recipe, a module each, named like the kind: what ``kind: NAME`` in a recipe asks for."""
