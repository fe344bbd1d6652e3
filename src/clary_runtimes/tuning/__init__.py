"""The search of automatic model tuning: which hyperparameters to try next, given what was tried.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
"""
