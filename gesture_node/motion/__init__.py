"""Motion: skeleton, robots, retargeting, limits, trajectories."""
