"""Amazon CloudWatch Logs over files: what jobs write is what clients read."""
