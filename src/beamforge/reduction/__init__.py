"""From raw frames to transmission, fringe amplitudes and dark field."""
