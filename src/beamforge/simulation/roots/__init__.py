"""Root systems in three dimensions and how they look from the side."""
