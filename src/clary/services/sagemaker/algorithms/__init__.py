"""Algorithms: what may be trained, described as resources."""
