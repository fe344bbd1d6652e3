"""MinIO's Python client: ``with_minio.py path|virtual ENDPOINT``."""

import io
import os
import sys
import urllib.request
from datetime import timedelta

import minio
from minio.commonconfig import ComposeSource, CopySource
from minio.deleteobjects import DeleteObject

style, endpoint = sys.argv[1:]
client = minio.Minio(
    endpoint=endpoint.removeprefix("http://"),
    access_key=os.environ["AWS_ACCESS_KEY_ID"],
    secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    session_token=os.environ.get("AWS_SESSION_TOKEN"),
    region="us-east-1",
    secure=False,
)
if style == "virtual":
    client.enable_virtual_style_endpoint()
bucket, name = f"minio-{style}", "a b/é+.txt"
client.make_bucket(bucket_name=bucket)
assert client.bucket_exists(bucket_name=bucket)
assert not client.bucket_exists(bucket_name=f"{bucket}-other")

client.put_object(bucket_name=bucket, object_name=name, data=io.BytesIO(b"hi"), length=2, metadata={"from": "test"})
assert client.get_object(bucket_name=bucket, object_name=name).read() == b"hi"
large = os.urandom(12_000_000)
client.put_object(bucket_name=bucket, object_name="large", data=io.BytesIO(large), length=-1, part_size=5 * 2**20)
found = client.stat_object(bucket_name=bucket, object_name="large")
assert (found.size, found.etag[-2:]) == (len(large), "-3")
middle = client.get_object(bucket_name=bucket, object_name="large", offset=5_000_000, length=10)
assert middle.read() == large[5_000_000:5_000_010]

source = CopySource(bucket_name=bucket, object_name="large")
client.copy_object(bucket_name=bucket, object_name="copy", source=source)
both = [ComposeSource(bucket_name=bucket, object_name=each) for each in ("large", "copy")]
client.compose_object(bucket_name=bucket, object_name="both", sources=both)
assert client.stat_object(bucket_name=bucket, object_name="both").size == 24_000_000
listed = [each.object_name for each in client.list_objects(bucket_name=bucket)]
assert sorted(listed) == ["a b/", "both", "copy", "large"]

minute = timedelta(minutes=1)
url = client.presigned_get_object(bucket_name=bucket, object_name=name, expires=minute)
with urllib.request.urlopen(url, timeout=30) as answer:
    assert answer.read() == b"hi"
url = client.presigned_put_object(bucket_name=bucket, object_name="put", expires=minute)
put = urllib.request.Request(url, b"there", {"Content-Type": ""}, method="PUT")
with urllib.request.urlopen(put, timeout=30) as answer:
    assert answer.status == 200

everything = [DeleteObject(name=each.object_name) for each in client.list_objects(bucket_name=bucket, recursive=True)]
assert len(everything) == 5
assert list(client.remove_objects(bucket_name=bucket, delete_object_list=everything)) == []
client.remove_bucket(bucket_name=bucket)
print("the story ended well")
