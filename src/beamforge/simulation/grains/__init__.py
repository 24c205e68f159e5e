"""Polycrystals in the plane: tessellations, their curved edges, and images of them."""
