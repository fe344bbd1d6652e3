"""Measurements, side by side with peers where there are any; each prints ratios."""
