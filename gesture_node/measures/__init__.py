"""Measures: one definition each of accents, beats, apertures, closures and seams."""
