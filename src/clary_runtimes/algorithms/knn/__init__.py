"""The built-in k-Nearest Neighbors (k-NN) algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/k-nearest-neighbors.html
"""
