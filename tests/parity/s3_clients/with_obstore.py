"""obstore, Rust's ``object_store`` in Python: ``with_obstore.py path|virtual ENDPOINT``."""

import os
import sys
import urllib.request
from datetime import timedelta

import boto3
import obstore as obs
from obstore.store import S3Store

style, endpoint = sys.argv[1:]
bucket, key = f"obstore-{style}", "a/é +x.txt"
boto3.client("s3").create_bucket(Bucket=bucket)
if style == "virtual":
    # Not every system resolves names under localhost, and nothing in Rust can be told to; a proxy resolves by itself.
    store = S3Store(
        bucket,
        endpoint=endpoint.replace("//", f"//{bucket}."),
        virtual_hosted_style_request=True,
        client_options={"allow_http": True, "proxy_url": endpoint},
    )
else:
    store = S3Store(bucket, endpoint=endpoint, client_options={"allow_http": True})

obs.put(store, key, b"hello", attributes={"Content-Type": "text/plain", "from": "test"})
answer = obs.get(store, key)
assert answer.attributes == {"Content-Type": "text/plain", "from": "test"}
assert bytes(answer.bytes()) == b"hello"
large = os.urandom(12_000_000)
obs.put(store, "large", large, use_multipart=True, chunk_size=5 * 2**20)
found = obs.head(store, "large")
assert (found["size"], found["e_tag"][-3:]) == (len(large), '-3"')
ranges = obs.get_ranges(store, "large", starts=[0, 11_000_000], lengths=[3, 4])
assert [bytes(each) for each in ranges] == [large[:3], large[11_000_000:11_000_004]]

obs.copy(store, "large", "copy")
obs.rename(store, "copy", "moved")
try:
    obs.put(store, "large", b"x", mode="create")
    raise AssertionError("it overwrote what was there")
except obs.exceptions.AlreadyExistsError:
    pass
try:
    obs.put(store, "large", b"x", mode={"e_tag": '"another"'})
    raise AssertionError("it updated another version")
except obs.exceptions.PreconditionError:
    pass
obs.put(store, "large", b"updated", mode={"e_tag": found["e_tag"]})
assert sorted(each["path"] for page in obs.list(store) for each in page) == [key, "large", "moved"]
assert obs.list_with_delimiter(store)["common_prefixes"] == ["a"]
with urllib.request.urlopen(obs.sign(store, "GET", key, timedelta(minutes=1)), timeout=30) as reply:
    assert reply.read() == b"hello"
obs.delete(store, [key, "large", "moved"])
assert [each for page in obs.list(store) for each in page] == []
print("the story ended well")
