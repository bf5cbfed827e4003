"""Solvers of exact models: equilibria, flows and densities. Nothing here samples a game or knows an agent.

Rooms: `matrix` (games in matrix form), `mean_field` (stationary mean-field games), `karma` (karma economies with
infinitely many players), `learner_density` (the distribution of Q-learners over their values).
"""
