"""Experiments on mean-field games."""
