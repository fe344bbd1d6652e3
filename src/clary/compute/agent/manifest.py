"""Manifests: JSON lists of the objects that make up a channel.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
"""

from __future__ import annotations

from clary.compute.agent.documents import loads


def entries(text: str) -> list[tuple[str, str]]:
    """The objects that a manifest names, each as an S3 URI and its name in the channel's folder.

    Raises ``ValueError`` if it is no manifest.
    """
    document = loads(text)
    head = document[0] if isinstance(document, list) and document else None
    prefix = head.get("prefix") if isinstance(head, dict) else None
    names = document[1:] if isinstance(document, list) else []
    if not isinstance(prefix, str) or not all(isinstance(name, str) for name in names):
        raise ValueError('a manifest is a list like [{"prefix": "s3://bucket/folder/"}, "file-1", "file-2"]')
    return [(prefix + name, name) for name in names]
