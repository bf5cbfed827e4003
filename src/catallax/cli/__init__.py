"""The command line `catallax`. Its modules import jax only in the commands that need it."""
