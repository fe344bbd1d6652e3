"""Backups of an installation, while it runs or not, and their restoring: ``python -m clary.control.backup``."""
