"""Automatic model tuning: many training jobs, one search."""
