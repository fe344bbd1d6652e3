"""DuckDB's extension ``httpfs``, loaded from its wheel: ``with_duckdb.py path|virtual ENDPOINT``."""

import os
import sys
from importlib.resources import files

import boto3
import duckdb

style, endpoint = sys.argv[1:]
bucket = f"duckdb-{style}"
s3 = boto3.client("s3")
s3.create_bucket(Bucket=bucket)

extension = files("duckdb_extension_httpfs") / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
connection = duckdb.connect()
connection.execute(f"LOAD '{extension}'")
connection.execute(f"""
    CREATE SECRET clary (
        TYPE s3,
        KEY_ID '{os.environ["AWS_ACCESS_KEY_ID"]}',
        SECRET '{os.environ["AWS_SECRET_ACCESS_KEY"]}',
        SESSION_TOKEN '{os.environ.get("AWS_SESSION_TOKEN", "")}',
        REGION 'us-east-1',
        ENDPOINT '{endpoint.removeprefix("http://")}',
        URL_STYLE '{"vhost" if style == "virtual" else "path"}',
        USE_SSL false
    )
""")


def asked(query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()


asked(f"""
    COPY (SELECT range AS number, range % 3 AS third FROM range(1000))
    TO 's3://{bucket}/parts' (FORMAT parquet, PARTITION_BY (third))
""")
assert asked(f"""
    SELECT count(*), sum(number) FROM read_parquet('s3://{bucket}/parts/*/*.parquet', hive_partitioning = true)
    WHERE third = 1
""") == [(333, 166167)]

for number in range(3):
    asked(f"COPY (SELECT {number} AS file, range AS row FROM range(100)) TO 's3://{bucket}/rows/é {number}+.csv'")
assert asked(f"SELECT count(*), sum(file) FROM read_csv('s3://{bucket}/rows/*.csv')") == [(300, 300)]
assert asked(f"SELECT count(*) FROM glob('s3://{bucket}/**')") == [(6,)]

# The smallest parts that S3 takes: ten thousand of them make this size.
asked("SET s3_uploader_max_filesize = '50GB'")
for kind in ("parquet", "csv"):
    asked(f"""
        COPY (SELECT range AS number, md5(range::varchar) AS digest FROM range(800000)) TO 's3://{bucket}/large.{kind}'
    """)
    assert asked(f"SELECT count(*), max(number) FROM 's3://{bucket}/large.{kind}'") == [(800000, 799999)]
    assert "-" in s3.head_object(Bucket=bucket, Key=f"large.{kind}")["ETag"], "it went up in one piece"
assert asked(f"SELECT digest FROM 's3://{bucket}/large.parquet' WHERE number = 7") == asked("SELECT md5('7')")
print("the story ended well")
