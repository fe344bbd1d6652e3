"""SageMaker Metrics: what is measured while resources are at work."""
