"""pyarrow's own S3 file system, AWS's C++ SDK below it: ``with_pyarrow.py path|virtual ENDPOINT``."""

import os
import sys

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

style, endpoint = sys.argv[1:]
address = endpoint.removeprefix("http://")
s3 = fs.S3FileSystem(
    endpoint_override=address,
    scheme="http",
    force_virtual_addressing=style == "virtual",
    allow_bucket_creation=True,
    allow_bucket_deletion=True,
)
bucket = f"arrow-{style}"
s3.create_dir(bucket)

table = pa.table({"number": list(range(1000)), "year": [2020 + number % 3 for number in range(1000)]})
by_year = ds.partitioning(pa.schema([("year", pa.int64())]), flavor="hive")
for kind in ("parquet", "csv"):
    ds.write_dataset(table, f"{bucket}/{kind}", format=kind, partitioning=by_year, filesystem=s3)
    dataset = ds.dataset(f"{bucket}/{kind}", format=kind, partitioning="hive", filesystem=s3)
    assert dataset.count_rows() == 1000
    assert dataset.to_table(filter=ds.field("year") == 2021).num_rows == 333
pq.write_table(table, f"{bucket}/one.parquet", filesystem=s3)
assert pq.read_table(f"{bucket}/one.parquet", filesystem=s3, columns=["number"]).num_rows == 1000

large = os.urandom(13_000_000)  # goes up in parts
with s3.open_output_stream(f"{bucket}/large é+ .bin", metadata={"Content-Type": "image/x-test"}) as stream:
    stream.write(large)
with s3.open_input_file(f"{bucket}/large é+ .bin") as file:
    assert file.size() == len(large)
    assert file.read_at(10, 12_999_990) == large[-10:]
with s3.open_input_stream(f"{bucket}/large é+ .bin") as stream:
    assert stream.metadata()["Content-Type"] == b"image/x-test"
    assert stream.metadata()["ETag"].endswith(b'-2"')
s3.copy_file(f"{bucket}/large é+ .bin", f"{bucket}/copies/large")
s3.move(f"{bucket}/copies/large", f"{bucket}/moved")
found = {each.base_name: each.type for each in s3.get_file_info(fs.FileSelector(bucket))}
assert found["parquet"] == fs.FileType.Directory
assert found["moved"] == fs.FileType.File

s3.create_dir(f"{bucket}/empty/deep", recursive=True)
assert s3.get_file_info(f"{bucket}/empty/deep").type == fs.FileType.Directory
s3.delete_dir_contents(f"{bucket}/parquet")
assert s3.get_file_info(fs.FileSelector(f"{bucket}/parquet", recursive=True)) == []
s3.delete_dir(bucket)
assert s3.get_file_info(bucket).type == fs.FileType.NotFound

# As an address says it; the keys come from the environment.
again, path = fs.FileSystem.from_uri(
    f"s3://{bucket}-uri?scheme=http&endpoint_override={address}&allow_bucket_creation=1"
)
again.create_dir(path)
with again.open_output_stream(f"{path}/a") as stream:
    stream.write(b"content")
with again.open_input_stream(f"{path}/a") as stream:
    assert stream.read() == b"content"
print("the story ended well")
