"""Independent random streams of a run, by what they are for."""

from __future__ import annotations

import zlib

from numpy.random import Generator, SeedSequence, default_rng


def stream(seed: int, purpose: str) -> Generator:
    """Give the random generator of a purpose; other purposes and other seeds give independent ones."""
    return default_rng(_sequence(seed, purpose))


def seed_for(seed: int, purpose: str) -> int:
    """Give the seed of a purpose, for what takes a number."""
    return int(_sequence(seed, purpose).generate_state(1)[0])


def _sequence(seed: int, purpose: str) -> SeedSequence:
    return SeedSequence([seed, zlib.crc32(purpose.encode())])
