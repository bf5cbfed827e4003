"""Experiments with economies: algorithmic pricing and growth."""
