"""Model Monitor: definitions of monitoring jobs, schedules, executions and alerts."""
