"""The built-in BlazingText algorithm: word vectors, and labels of texts.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html
"""
