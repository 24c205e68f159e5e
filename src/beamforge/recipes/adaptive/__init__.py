"""What recipes of the kind ``adaptive`` do."""
