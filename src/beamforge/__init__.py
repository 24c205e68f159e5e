"""beamforge: from one annotated measurement to a trained, honestly judged segmenter."""

from beamforge._version import __version__

__all__ = ["__version__"]
