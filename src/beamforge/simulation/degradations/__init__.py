"""Steps that do what the instrument does; a module here is found by itself."""
