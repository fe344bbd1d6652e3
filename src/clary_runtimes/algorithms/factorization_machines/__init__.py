"""The built-in Factorization Machines algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/fact-machines.html
"""
