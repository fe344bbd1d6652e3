"""Configurations of AI workloads as resources, and the jobs that will try them.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAIWorkloadConfig.html
"""

from __future__ import annotations

from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER

workload_configs = Resource(SAGEMAKER, "AIWorkloadConfig", descending=True)
benchmark_jobs = Resource(
    SAGEMAKER,
    "AIBenchmarkJob",
    status="AIBenchmarkJobStatus",
    descending=True,
    later="Benchmark jobs of AI workloads",
)
recommendation_jobs = Resource(
    SAGEMAKER,
    "AIRecommendationJob",
    status="AIRecommendationJobStatus",
    descending=True,
    later="AI recommendation jobs",
)
RESOURCES = (workload_configs, benchmark_jobs, recommendation_jobs)
