"""boto3's transfers, several files at once and each in several threads: ``with_boto3.py path|virtual ENDPOINT``."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

style, endpoint = sys.argv[1:]
bucket = f"boto3-{style}"
s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(s3={"addressing_style": style}, max_pool_connections=32))
s3.create_bucket(Bucket=bucket)
parts = TransferConfig(multipart_threshold=5 * 2**20, multipart_chunksize=5 * 2**20, max_concurrency=8)
Path("up").mkdir(exist_ok=True)


def both_ways(number: int) -> None:
    up, down = Path(f"up/{number}"), Path(f"up/{number}.back")
    up.write_bytes(number.to_bytes(2, "big") * 6_000_000)
    checked = {"ChecksumAlgorithm": "SHA256" if number % 2 else "CRC32"}
    s3.upload_file(str(up), bucket, f"{number}", Config=parts, ExtraArgs=checked)
    s3.copy({"Bucket": bucket, "Key": f"{number}"}, bucket, f"copies/{number}", Config=parts)
    s3.download_file(bucket, f"copies/{number}", str(down), Config=parts)
    assert up.read_bytes() == down.read_bytes(), number
    up.unlink()
    down.unlink()


with ThreadPoolExecutor(4) as pool:
    list(pool.map(both_ways, range(8)))
heads = [s3.head_object(Bucket=bucket, Key=f"copies/{number}") for number in range(8)]
assert {(head["ContentLength"], head["ETag"][-3:]) for head in heads} == {(12_000_000, '-3"')}
assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
print("the story ended well")
