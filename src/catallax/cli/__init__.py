"""The command line `catallax`. Its modules import jax only inside the commands that compute."""
