"""How the parameters of ML activities are given on the command line; apart, since it is read at every start."""

from __future__ import annotations

from collections.abc import Mapping

OPTIONS: Mapping[str, tuple[str, str]] = {
    "PassRoles": ("--pass-role", "ROLE"),
    "S3Buckets": ("--bucket", "NAME"),
    "ECRRepoArns": ("--repository", "ARN"),
    "WorkGroupNames": ("--workgroup", "NAME"),
    "GlueDbNames": ("--database", "NAME"),
    "VpcSubnets": ("--subnet", "ID"),
    "VpcSecurityGroups": ("--security-group", "ID"),
    "DataKmsKeys": ("--data-key", "ARN"),
    "VolumeKmsKeys": ("--volume-key", "ARN"),
}
"""How the parameters of activities are given, and what their values are."""
