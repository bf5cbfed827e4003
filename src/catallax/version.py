"""The version: one constant, so that everything may read it without importing the package."""

__version__ = "0.1.0.dev0"
