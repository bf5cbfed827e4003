"""Solvers of games in matrix form, one room for each question.

`nash`: Nash equilibria, by enumeration, pivoting and linear programmes; regrets and NashConv.
`logit`: logit (quantal response) equilibria: one point, many starts, branches and surfaces over the temperatures.
`structure`: dominance, potentials, zero-sum weights, interior equilibria.
`flow`: learning dynamics in time: Q-learning, replicator dynamics, fictitious play, temperature schedules.
`finite_population`: imitation in finite populations: Moran process, rare mutations, alpha-rank.
`flow_analysis`: where these dynamics lead: rest points, stability, basins, orbits, Lyapunov functions.
`host`: parts that the other rooms share: one concrete game in NumPy in double precision, and checked inputs.
"""
