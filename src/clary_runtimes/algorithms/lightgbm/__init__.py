"""LightGBM as a built-in algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm.html
"""
