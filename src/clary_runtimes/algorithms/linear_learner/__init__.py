"""The built-in Linear Learner algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner.html
"""
