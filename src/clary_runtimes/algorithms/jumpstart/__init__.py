"""What Amazon's algorithms of tables in JumpStart (LightGBM, CatBoost, AutoGluon-Tabular) have in common.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/algorithms-tabular.html
"""
