"""The resource grammar: declare a resource once, get its operations."""
