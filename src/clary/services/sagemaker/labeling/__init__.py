"""Labelling: what human workers see and do."""
