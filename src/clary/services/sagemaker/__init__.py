"""Amazon SageMaker: one folder per capability."""
