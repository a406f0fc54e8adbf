"""The whole demo: real ROS 2 processes, a recording of what they said, and what it shows.

Nothing here imports rclpy; the processes that do are started from here.
"""
