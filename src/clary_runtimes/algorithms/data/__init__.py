"""Readers of the documented data formats, for training channels and for inference payloads.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""
