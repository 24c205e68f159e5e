"""Growing textures from examples."""
