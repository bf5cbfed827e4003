"""One concrete game "on the host", that is in NumPy in double precision: payoffs, derivatives, checked inputs."""
