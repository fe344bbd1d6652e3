"""Role Manager: personas and ML activities become least-privilege roles.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/role-manager.html
"""
