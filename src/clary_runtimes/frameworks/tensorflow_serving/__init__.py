"""Serving SavedModels as Amazon's TensorFlow Serving containers do, with no script or with ``input_handler`` and
``output_handler``.

References: https://sagemaker.readthedocs.io/en/stable/frameworks/tensorflow/deploying_tensorflow_serving.html,
https://github.com/aws/sagemaker-tensorflow-serving-container and https://www.tensorflow.org/tfx/serving/api_rest
"""
