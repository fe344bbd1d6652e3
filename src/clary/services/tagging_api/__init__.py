"""Tags across all services."""
