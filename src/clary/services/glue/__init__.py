"""The Glue data catalogue."""
