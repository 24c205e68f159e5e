"""Physical stand-ins for experiments whose data are not public."""
