"""Experiments with economies."""
