"""One module a format; each is found by itself."""
