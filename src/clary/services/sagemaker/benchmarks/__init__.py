"""Benchmarks of generative AI inference: workloads, and the jobs that try them."""
