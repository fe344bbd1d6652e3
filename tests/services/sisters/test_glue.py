"""The Glue data catalogue by plain boto3: databases, tables with versions, partitions with filters, policies."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from clary.services.glue.errors import InvalidInputException
from clary.services.glue.expression import compiled
from clary.testing.server import Server

TYPES = {"year": "int", "month": "string", "price": "double"}
STORAGE = {"Columns": [{"Name": "x", "Type": "int"}], "Location": "s3://bucket/sales/"}


@pytest.fixture
def glue(clary_aws: Server) -> Any:
    client = clary_aws.client("glue")
    client.create_database(DatabaseInput={"Name": "Shop", "Description": "first"}, Tags={"team": "a"})
    keys = [{"Name": "year", "Type": "int"}, {"Name": "month", "Type": "string"}]
    table = {"Name": "Sales", "StorageDescriptor": STORAGE, "PartitionKeys": keys, "Parameters": {"a": "b"}}
    client.create_table(DatabaseName="shop", TableInput=table)
    return client


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_databases(glue: Any) -> None:
    shown = glue.get_database(Name="SHOP")["Database"]
    assert (shown["Name"], shown["Description"], shown["CatalogId"]) == ("shop", "first", "123456789012")
    arn = "arn:aws:glue:us-east-1:123456789012:database/shop"
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "a"}
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"cost": "1"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["team"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"cost": "1"}
    glue.update_database(Name="shop", DatabaseInput={"Name": "shop", "LocationUri": "s3://b/"})
    shown = glue.get_database(Name="shop", CatalogId="123456789012")["Database"]
    assert ("Description" in shown, shown["LocationUri"]) == (False, "s3://b/")
    assert [each["Name"] for each in glue.get_databases()["DatabaseList"]] == ["shop"]
    assert refused(glue.create_database, DatabaseInput={"Name": "shop"}) == "AlreadyExistsException"
    assert refused(glue.get_database, Name="none") == "EntityNotFoundException"
    glue.delete_database(Name="shop")
    assert refused(glue.get_table, DatabaseName="shop", Name="sales") == "EntityNotFoundException"


def test_tables_and_their_versions(glue: Any) -> None:
    shown = glue.get_table(DatabaseName="shop", Name="SALES")["Table"]
    assert (shown["Name"], shown["DatabaseName"], shown["Parameters"]) == ("sales", "shop", {"a": "b"})
    glue.update_table(DatabaseName="shop", TableInput={"Name": "sales", "Description": "second"})
    shown = glue.get_table(DatabaseName="shop", Name="sales")["Table"]
    assert (shown["Description"], "Parameters" in shown) == ("second", False)
    versions = glue.get_table_versions(DatabaseName="shop", TableName="sales")["TableVersions"]
    assert [each["VersionId"] for each in versions] == ["2", "1"]
    first = glue.get_table_version(DatabaseName="shop", TableName="sales", VersionId="1")["TableVersion"]
    assert first["Table"]["Parameters"] == {"a": "b"}
    stale = {"DatabaseName": "shop", "TableInput": {"Name": "sales"}, "VersionId": "1"}
    assert refused(glue.update_table, **stale) == "InvalidInputException"
    glue.create_table(DatabaseName="shop", TableInput={"Name": "stock"})
    assert [each["Name"] for each in glue.get_tables(DatabaseName="shop")["TableList"]] == ["sales", "stock"]
    assert [each["Name"] for each in glue.get_tables(DatabaseName="shop", Expression="st.*")["TableList"]] == ["stock"]
    assert [each["Name"] for each in glue.search_tables(SearchText="sal")["TableList"]] == ["sales"]
    errors = glue.batch_delete_table(DatabaseName="shop", TablesToDelete=["stock", "none"])["Errors"]
    assert [each["TableName"] for each in errors] == ["none"]
    assert refused(glue.create_table, DatabaseName="none", TableInput={"Name": "t"}) == "EntityNotFoundException"


def test_partitions(glue: Any) -> None:
    of_sales = {"DatabaseName": "shop", "TableName": "sales"}
    inputs = [{"Values": [str(year), month]} for year in (2024, 2025, 2026) for month in ("01", "02")]
    assert glue.batch_create_partition(**of_sales, PartitionInputList=inputs)["Errors"] == []

    def found(expression: str) -> list[list[str]]:
        pages = glue.get_paginator("get_partitions").paginate(**of_sales, Expression=expression)
        return [each["Values"] for page in pages for each in page["Partitions"]]

    assert found("year > 2024 AND month = '01'") == [["2025", "01"], ["2026", "01"]]
    assert found("year IN (2024, 2026) AND NOT month LIKE '%1'") == [["2024", "02"], ["2026", "02"]]
    assert found("year BETWEEN 2025 AND 2025 OR (year=2026 AND month<>'02')") == [
        ["2025", "01"],
        ["2025", "02"],
        ["2026", "01"],
    ]
    assert len(glue.get_partitions(**of_sales, MaxResults=4)["Partitions"]) == 4
    one = glue.get_partition(**of_sales, PartitionValues=["2024", "01"])["Partition"]
    assert one["Values"] == ["2024", "01"]
    glue.update_partition(
        **of_sales,
        PartitionValueList=["2024", "01"],
        PartitionInput={"Values": ["2023", "12"], "Parameters": {"k": "v"}},
    )
    moved = glue.get_partition(**of_sales, PartitionValues=["2023", "12"])["Partition"]
    assert moved["Parameters"] == {"k": "v"}
    assert refused(glue.get_partition, **of_sales, PartitionValues=["2024", "01"]) == "EntityNotFoundException"
    again = glue.batch_create_partition(**of_sales, PartitionInputList=[inputs[1], {"Values": ["only-one"]}])["Errors"]
    assert [each["ErrorDetail"]["ErrorCode"] for each in again] == ["AlreadyExistsException", "InvalidInputException"]
    many = glue.batch_get_partition(**of_sales, PartitionsToGet=[{"Values": ["2025", "01"]}, {"Values": ["1", "1"]}])
    assert (len(many["Partitions"]), len(many["UnprocessedKeys"])) == (1, 1)
    glue.delete_partition(**of_sales, PartitionValues=["2025", "01"])
    glue.delete_table(DatabaseName="shop", Name="sales")
    assert refused(glue.get_partitions, **of_sales) == "EntityNotFoundException"


@pytest.mark.parametrize(
    "expression", ["year >", "unknown = 1", "year = 'x'", "(year = 1", "year = 1 2", "' OR 1", ";", "not"]
)
def test_expressions_that_are_none(expression: str) -> None:
    with pytest.raises(InvalidInputException):
        compiled(expression, TYPES)({"year": "2024", "month": "01", "price": "1.5"})


def test_an_expression_cannot_be_nested_without_end() -> None:
    with pytest.raises(InvalidInputException):
        compiled("(" * 5000 + "year = 1" + ")" * 5000, TYPES)


def test_a_policy_on_one_database_is_for_no_other(clary_aws: Server, glue: Any) -> None:
    glue.create_database(DatabaseInput={"Name": "other"})
    iam = clary_aws.client("iam")
    iam.create_user(UserName="reader")
    arn = "arn:aws:glue:us-east-1:123456789012"
    # As AWS has it, the catalogue must be allowed too.
    statement = {
        "Effect": "Allow",
        "Action": "glue:GetDatabase",
        "Resource": [f"{arn}:database/shop", f"{arn}:catalog"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = boto3.client(
        "glue",
        endpoint_url=clary_aws.url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert reader.get_database(Name="shop")["Database"]["Name"] == "shop"
    assert refused(reader.get_database, Name="other") == "AccessDeniedException"
    assert refused(reader.get_table, DatabaseName="shop", Name="sales") == "AccessDeniedException"


def test_jobs_come_later(glue: Any) -> None:
    with pytest.raises(ClientError, match="not available in Clary yet"):
        glue.create_job(Name="j", Role="r", Command={})
    assert glue.get_crawlers()["Crawlers"] == []
