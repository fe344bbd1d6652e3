"""What public test suites expect of a server in test mode: the keys, roles and accounts that they name."""

from __future__ import annotations

KEYS = {"FOOBARKEY": "FOOBARSECRET", "testing": "testing", "test": "test"}
"""Secrets by access key: what moto's suite and the documentation of emulators sign with."""
ROLES = (
    ("/", "SageMakerRole"),
    ("/", "FakeRole"),
    ("/", "FooRole"),
    ("/", "AWSFeatureStoreAccess"),
    ("/", "iamrole-domain-execution"),
    ("/", "iamrole-space-execution"),
    ("/service-role/", "AmazonSageMaker-TestExecutionRole"),
)
"""Path and name of roles that suites name without making them."""
ANY_ROLE = "FakeRole"
"""The role that those stand for which suites hand on and which are not there."""
S3_ACCOUNTS = {
    "main": ("111122223333", "CLARYS3TESTMAIN00000", "clary-s3-tests-secret-of-main"),
    "alt": ("444455556666", "CLARYS3TESTALT000000", "clary-s3-tests-secret-of-alt"),
    "tenant": ("777788889999", "CLARYS3TESTTENANT000", "clary-s3-tests-secret-of-tenant"),
}
"""Account, access key and secret of the three parties of ceph/s3-tests."""
S3_REGION = "us-east-1"
S3_KEYS = ("5e5f0a8c-6d43-4c55-9a1e-0c1a7a9b1d01", "5e5f0a8c-6d43-4c55-9a1e-0c1a7a9b1d02")
"""The ids of two keys of KMS in the first account."""


def s3tests(port: int) -> str:
    """The configuration file of ceph/s3-tests for a server on this machine's ``port`` that runs in test mode.

    Reference: https://github.com/ceph/s3-tests/blob/master/s3tests.conf.SAMPLE
    """
    sections = [
        f"[DEFAULT]\nhost = localhost\nport = {port}\nis_secure = False\nssl_verify = False",
        "[fixtures]\nbucket prefix = clary-{random}-\niam name prefix = s3-tests-\niam path prefix = /s3-tests/",
    ]
    for name, (account, access_key, secret) in S3_ACCOUNTS.items():
        lines = [
            f"[s3 {name}]",
            f"display_name = {account}",
            # What S3 calls the canonical user of an account: here its number, as 64 digits.
            f"user_id = {account:0>64}",
            f"email = {name}@example.com",
            f"access_key = {access_key}",
            f"secret_key = {secret}",
        ]
        if name == "main":
            lines.append("api_name =")
            for option, key in zip(("kms_keyid", "kms_keyid2"), S3_KEYS, strict=True):
                lines.append(f"{option} = arn:aws:kms:{S3_REGION}:{account}:key/{key}")
        if name == "tenant":
            lines.append("tenant = testx")
        sections.append("\n".join(lines))
    # The tests of IAM use the root of the first account, and of the second.
    for section, name in (("iam", "main"), ("iam root", "main"), ("iam alt root", "alt")):
        account, access_key, secret = S3_ACCOUNTS[name]
        sections.append(
            f"[{section}]\ndisplay_name = {account}\nuser_id = {account}\nemail = {name}-root@example.com\n"
            f"access_key = {access_key}\nsecret_key = {secret}"
        )
    return "\n\n".join(sections)
