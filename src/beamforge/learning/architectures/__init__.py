"""Networks by name, one registry."""
