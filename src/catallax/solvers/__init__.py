"""Dynamics on exact models: nothing here samples a game. Solvers import the core and games, and know no agent."""
