"""CloudTrail: the trail of all calls, what stands in it, and how it is looked up."""
