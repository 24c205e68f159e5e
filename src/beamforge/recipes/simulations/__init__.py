"""What recipes of the kind ``simulation`` do."""
