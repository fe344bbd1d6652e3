"""s3fs, fsspec and pandas: ``with_s3fs.py path|virtual ENDPOINT``."""

import os
import sys
import urllib.request

import pandas as pd
import s3fs

style, endpoint = sys.argv[1:]
options = {"endpoint_url": endpoint, "config_kwargs": {"s3": {"addressing_style": style}}}
fs = s3fs.S3FileSystem(**options)
bucket = f"s3fs-{style}"
fs.mkdir(bucket)

with fs.open(f"{bucket}/x/notes.txt", "wb") as file:
    file.write(b"one\n")
with fs.open(f"{bucket}/x/notes.txt", "ab") as file:
    file.write(b"two\n")
assert fs.cat(f"{bucket}/x/notes.txt") == b"one\ntwo\n"

# Larger than a part: s3fs appends by copying what is there as the first part of a multipart upload.
large = os.urandom(7_000_000)
with fs.open(f"{bucket}/x/large", "wb", block_size=5 * 2**20) as file:
    file.write(large)
with fs.open(f"{bucket}/x/large", "ab") as file:
    file.write(b"the end")
with fs.open(f"{bucket}/x/large", "rb") as file:
    file.seek(6_999_990)
    assert file.read() == large[-10:] + b"the end"
fs.merge(f"{bucket}/merged", [f"{bucket}/x/large", f"{bucket}/x/large"])
assert fs.size(f"{bucket}/merged") == 14_000_014

fs.pipe({f"{bucket}/x/{n}/rows-{n}.csv": f"a,b\n{n},1\n".encode() for n in range(5)})
assert fs.glob(f"{bucket}/x/*/*.csv") == [f"{bucket}/x/{n}/rows-{n}.csv" for n in range(5)]
assert sorted(fs.ls(f"{bucket}/x", detail=False)) == [f"{bucket}/x/{name}" for name in (*"01234", "large", "notes.txt")]
folder, folders, files = next(iter(fs.walk(f"{bucket}/x")))
assert (sorted(folders), sorted(files)) == (list("01234"), ["large", "notes.txt"])

fs.cp(f"{bucket}/x", f"{bucket}/y", recursive=True)
assert len(fs.find(f"{bucket}/y")) == 7
fs.mv(f"{bucket}/y/notes.txt", f"{bucket}/y/moved é+ .txt")
assert not fs.exists(f"{bucket}/y/notes.txt")
with urllib.request.urlopen(fs.url(f"{bucket}/y/moved é+ .txt"), timeout=30) as answer:
    assert answer.read() == b"one\ntwo\n"
fs.rm(f"{bucket}/y", recursive=True)
assert not fs.exists(f"{bucket}/y")

fs.touch(f"{bucket}/empty")
fs.setxattr(f"{bucket}/empty", colour="red")
fs.put_tags(f"{bucket}/empty", {"kind": "test"})
assert (fs.getxattr(f"{bucket}/empty", "colour"), fs.get_tags(f"{bucket}/empty")) == ("red", {"kind": "test"})

frame = pd.DataFrame({"number": range(1000), "text": [str(number) for number in range(1000)]})
frame.to_csv(f"s3://{bucket}/frame.csv", index=False, storage_options=options)
frame.to_parquet(f"s3://{bucket}/frame.parquet", storage_options=options)
assert len(pd.read_csv(f"s3://{bucket}/frame.csv", storage_options=options)) == 1000
assert pd.read_parquet(f"s3://{bucket}/frame.parquet", storage_options=options).equals(frame)
thirds = frame.assign(third=frame.number % 3)
thirds.to_parquet(f"s3://{bucket}/parts", partition_cols=["third"], storage_options=options)
one = pd.read_parquet(f"s3://{bucket}/parts", filters=[("third", "=", 1)], storage_options=options)
assert len(one) == 333

versions = s3fs.S3FileSystem(version_aware=True, **options)
versions.mkdir(f"{bucket}-versions")
versions.make_bucket_versioned(f"{bucket}-versions")
for content in (b"first", b"second"):
    versions.pipe(f"{bucket}-versions/a", content)
newest, oldest = versions.object_version_info(f"{bucket}-versions/a")
assert (newest["IsLatest"], oldest["IsLatest"]) == (True, False)
with versions.open(f"{bucket}-versions/a", "rb", version_id=oldest["VersionId"]) as file:
    assert file.read() == b"first"
assert versions.cat_file(f"{bucket}-versions/a?versionId={oldest['VersionId']}") == b"first"
assert versions.cat(f"{bucket}-versions/a") == b"second"
versions.rm(f"{bucket}-versions/a")
versions.invalidate_cache()
assert not versions.exists(f"{bucket}-versions/a")
assert versions.cat_file(f"{bucket}-versions/a?versionId={newest['VersionId']}") == b"second"

fs.rm(bucket, recursive=True)
assert not fs.exists(bucket)
print("the story ended well")
