"""The built-in XGBoost algorithm.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html
"""
