"""Simulation: a robot that obeys trajectories, and pictures of it."""
