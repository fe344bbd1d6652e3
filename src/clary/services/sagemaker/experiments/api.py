"""What other capabilities need of experiments."""

from clary.services.sagemaker.experiments.resources import MEMBER

__all__ = ["MEMBER"]
