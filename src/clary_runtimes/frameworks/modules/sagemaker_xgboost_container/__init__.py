"""What scripts for the official XGBoost container import from it, by the names that it has there.

Reference: https://github.com/aws/sagemaker-xgboost-container
"""
