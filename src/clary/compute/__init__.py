"""Run a job or a server somewhere: the agent, placement, isolation and images."""
