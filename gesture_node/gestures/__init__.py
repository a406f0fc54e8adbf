"""Named gestures placed by hand: a library of keyframes, requests for them, and their blending."""
