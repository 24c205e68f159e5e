"""What recipes of the kind ``clustering`` do."""
