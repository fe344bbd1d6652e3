"""The associations by which experiments hold together, and what lineage shows of trial components."""

from __future__ import annotations

MEMBER = "TrialComponentOf"
"""From a trial component to each of its trials."""
TRIAL = "TrialOf"
"""From a trial to its experiment."""
SOURCE = "TrialComponentFrom"
"""From a trial component to each job that it tells of, whose ARN is written in small letters."""
EDGES = (MEMBER, TRIAL, SOURCE)
"""All of them; the lineage graph does not have them."""
KIND = "_kind"
"""In a trial component's document: the type that associations show of it."""
MADE_BY_HAND = "SageMakerExperimentTrialComponent"
"""The type of a trial component that comes from no job."""
