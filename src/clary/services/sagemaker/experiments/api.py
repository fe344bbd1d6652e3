"""What other capabilities need of experiments."""

from clary.services.sagemaker.experiments.jobs import Ending, Story, begin_job, end_job, forget_job
from clary.services.sagemaker.experiments.resources import trial_components

__all__ = ["Ending", "Story", "begin_job", "end_job", "forget_job", "trial_components"]
