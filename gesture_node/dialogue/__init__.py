"""Dialogue without ROS: states, idle motion, listening, voice activity, who owns which joint."""
