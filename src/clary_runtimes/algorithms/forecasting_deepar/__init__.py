"""The built-in DeepAR forecasting algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar.html
"""
