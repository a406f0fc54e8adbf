"""Speech in, body and face out, on one clock, on any humanoid, in real time."""
