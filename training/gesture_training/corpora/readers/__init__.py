"""Readers, one per file format: what people record speech, bodies and faces with."""
