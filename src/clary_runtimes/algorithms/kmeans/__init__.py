"""The built-in K-Means algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/k-means.html
"""
