"""Learning dynamics in matrix games."""
