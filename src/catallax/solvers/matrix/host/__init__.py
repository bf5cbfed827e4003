"""Concrete games in NumPy, in double precision: payoffs, derivatives and the checked inputs of the exact solvers."""
