"""The container contract: everything these runtimes know about ``/opt/ml``, and nothing else does.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
and https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""
