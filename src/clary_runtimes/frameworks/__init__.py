"""Script mode: the user's own program, trained and served as the framework containers do it.

References: https://github.com/aws/sagemaker-training-toolkit (ENVIRONMENT_VARIABLES.md) and
https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html
"""
