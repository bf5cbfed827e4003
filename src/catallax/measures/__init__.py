"""Measures: what is kept of a run. They read a game's own account and know no agent. One package a family of games."""
