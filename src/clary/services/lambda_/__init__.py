"""AWS Lambda: functions in Python, run beside the jobs."""
