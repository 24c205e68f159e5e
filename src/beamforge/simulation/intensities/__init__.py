"""Steps that fill pixels given the labels; a module here is found by itself."""
