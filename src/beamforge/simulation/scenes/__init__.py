"""Steps that write the label image; a module here is found by itself."""
