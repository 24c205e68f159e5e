"""The geometry of cracks: drawn as polylines, and measured on annotated images."""
