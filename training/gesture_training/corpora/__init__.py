"""Corpora: readers, composers and the packed training set."""
