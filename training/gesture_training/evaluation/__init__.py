"""Evaluation of a bundle on speakers it never heard, next to baselines."""
