"""Application Auto Scaling: what may be scaled, by which policies and schedules, and what has been."""
