"""Experiments, trials and trial components."""
