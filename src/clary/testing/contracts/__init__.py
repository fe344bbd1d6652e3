"""Contract suites: what every implementation of a pluggable part must do, as classes that a test module derives
from."""
