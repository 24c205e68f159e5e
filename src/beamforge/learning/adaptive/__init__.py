"""Adaptive sampling: data generation that goes where the network fails."""
