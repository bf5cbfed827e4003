"""One concrete game on the host (in NumPy, in double precision): its payoffs, their derivatives, checked inputs."""
