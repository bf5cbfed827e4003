"""Experiments on karma economies."""
