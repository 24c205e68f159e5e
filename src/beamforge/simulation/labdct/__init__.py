"""Forward simulation of laboratory diffraction contrast tomography."""
