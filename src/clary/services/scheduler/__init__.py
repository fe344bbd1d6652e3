"""EventBridge Scheduler: calls that are made at a time, at a rate or by a calendar."""
