"""ROS 2: the only place with rclpy and messages."""
