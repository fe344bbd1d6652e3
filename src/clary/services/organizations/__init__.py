"""AWS Organizations: further accounts."""
