"""Functions: code that is called with an event, in environments that stay for the next one."""
