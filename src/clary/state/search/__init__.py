"""Searches: nested conditions on columns, documents, tags and associated resources, in the order of any value."""
