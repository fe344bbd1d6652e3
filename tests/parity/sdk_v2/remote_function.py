"""SDK v2: functions that run as training jobs: values, exceptions, packages, commands before, and a pool of jobs."""

import pathlib

import sagemaker
from sagemaker.remote_function import RemoteExecutor, remote

session = sagemaker.Session()
pathlib.Path("requirements.txt").write_text("sagemaker==2.257.7\ntabulate\n")
settings = {
    "image_uri": "081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0",
    "instance_type": "ml.m5.large",
    "role": sagemaker.get_execution_role(session),
    "sagemaker_session": session,
}


@remote(**settings, dependencies="requirements.txt", pre_execution_commands=["echo prepared > /tmp/prepared"])
def table(rows):
    import tabulate

    print("in the job")
    return pathlib.Path("/tmp/prepared").read_text().strip(), tabulate.tabulate(rows)


def divide(numerator, denominator):
    return numerator / denominator


assert table([["a", 1]]) == ("prepared", "-  -\na  1\n-  -")
with RemoteExecutor(**settings, dependencies="requirements.txt", max_parallel_jobs=2) as executor:
    half, nothing = executor.submit(divide, 1, 2), executor.submit(divide, 1, 0)
    assert half.result() == 0.5
    try:
        nothing.result()
    except ZeroDivisionError as error:
        assert "division by zero" in str(error), error
    else:
        raise AssertionError("the job's exception did not come back")
print("the story ended well")
