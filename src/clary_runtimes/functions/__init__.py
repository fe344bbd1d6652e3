"""A Lambda function's execution environment: what runs beside the user's code, and what calls it.

The process of the environment listens for events; the function runs in a child of it, one event after the other, so
that somebody is there to answer, and to write the log, when the function takes too long or dies.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""
