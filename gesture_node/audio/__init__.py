"""Audio: ring buffer, resampling, features."""
