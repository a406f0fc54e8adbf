"""Guides: which accents of a voice the arms answer, and where the hands are when they do."""
