"""Command lines of the library, without ROS: motion from a file, and the benchmark."""
