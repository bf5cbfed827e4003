"""Learning dynamics: Q-learning flows and equilibria, populations, auctions with Q-learners."""
