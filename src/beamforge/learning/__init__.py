"""Architectures, losses, training and checkpoints."""
