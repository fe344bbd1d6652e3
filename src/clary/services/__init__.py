"""One folder per AWS service."""
