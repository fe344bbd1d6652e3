"""What is wrong with the work of an account."""
