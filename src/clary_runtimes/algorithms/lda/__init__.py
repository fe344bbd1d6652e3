"""The built-in Latent Dirichlet Allocation algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lda.html
"""
