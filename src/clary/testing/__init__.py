"""Servers for tests, and contract suites for every pluggable part."""
