"""CloudWatch's alarms: what they watch, how they are judged, and what is told when their state changes."""
