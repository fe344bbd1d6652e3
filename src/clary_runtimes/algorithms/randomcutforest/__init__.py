"""The built-in Random Cut Forest algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/randomcutforest.html
"""
