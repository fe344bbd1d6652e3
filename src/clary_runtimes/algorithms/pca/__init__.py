"""The built-in Principal Component Analysis (PCA) algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/pca.html
"""
