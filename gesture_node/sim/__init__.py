"""Simulation: a robot that obeys trajectories, and pictures of it."""
from .gl import choose_platform

# MuJoCo picks its OpenGL platform on import, so this must come before any module imports it.
choose_platform()
