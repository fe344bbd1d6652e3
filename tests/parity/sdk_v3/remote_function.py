"""SDK v3: a function that runs as a training job, with the packages that it asks for."""

import pathlib

import sagemaker.core.remote_function as functions
from sagemaker.core.helper.session_helper import Session, get_execution_role

session = Session()
pathlib.Path("requirements.txt").write_text("sagemaker-core==2.27.0\ntabulate\n")


@functions.remote(
    image_uri="081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0",
    instance_type="ml.m5.large",
    role=get_execution_role(session),
    sagemaker_session=session,
    dependencies="requirements.txt",
)
def table(rows):
    import tabulate

    return tabulate.tabulate(rows)


assert table([["a", 1]]) == "-  -\na  1\n-  -"
print("the story ended well")
