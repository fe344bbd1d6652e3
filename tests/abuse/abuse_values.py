"""Values for the shapes of botocore's models: such as a client would send, and then spoilt at some places."""

from __future__ import annotations

from collections import defaultdict, deque
from functools import lru_cache
from random import Random
from typing import Any

from clary.wire.patterns import matches

DEEPEST = 7

NESTED: Any = []
for _ in range(300):
    NESTED = [NESTED]

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, 10**30, 1e308, -1e308, 0.1, 1e-320,
    float("nan"), float("inf"), -0.0, "", " ", "\0", "a\0b", "\r\nx-evil: 1", "a" * 300, "a" * 70_000, "\ud800", "é☃😀",
    "\u202e\ufeff", "../../etc/passwd", "..", ".", "/", "//", "%00", "%2e%2e%2f", "${jndi:ldap://x}", "{{7*7}}", "{}",
    "[]", "null", "NaN", "1", "-1", "true", "*", "?", "[a-", "(a+)+$", "'", '"', "<a>&b;", "]]>", "<!DOCTYPE a>",
    "s3://", "s3://b", "s3://fuzz/", "s3:///x", "s3://fuzz/../x", "http://[", "https://a:99999/", "file:///etc/passwd",
    "arn:aws:sagemaker", "arn:aws:iam::123456789012:role/x", "arn:::::", "arn:aws:s3:::fuzz", "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59Z", "1e400", "١٢٣", "P1D", "rate(0 minutes)", "cron(* * * * * *)", "cron(0 99 * * ? *)",
    [], {}, [None], [[]], {"": ""}, {"a": {"b": [1]}}, [1, "a", {}], ["a"] * 2000, {"k" * 2000: "v"}, NESTED,
    {str(number): number for number in range(500)},
)  # fmt: skip

CANDIDATES = (
    "fuzz-1", "fuzz", "a", "A1", "abcdef", "123456789012", "1", "12", "us-east-1", "0.1", "1.0", "1.0.0", "/", "/fuzz/",
    "s3://fuzz/data", "s3://fuzz", "arn:aws:iam::123456789012:role/ClaryExecutionRole",
    "arn:aws:sagemaker:us-east-1:123456789012:model/fuzz-1", "arn:aws:kms:us-east-1:123456789012:key/fuzz",
    "arn:aws:s3:::fuzz", "https://example.com/a", "text/csv", "application/json", "a@example.com", "2020-01-01",
    "2020-01-01T00:00:00Z", "10:00", "Mon:01:00", "PT1H", "P1D", "rate(1 hour)", "cron(0 * * * ? *)", "i-12345678",
    "sg-12345678", "subnet-12345678", "vpc-12345678", "ml.m5.large", "eu-west-1a", "a.b", "clary/none:1",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/none:1", "a" * 32, "0" * 64, "d-abcdefghijkl", "app:1",
    "00000000-0000-0000-0000-000000000000", "example.com", "10.0.0.0/16", "rolling", "AKIA1234567890123456", "x=1",
    "sha256:" + "0" * 64, "$.a", "{}", "Aa1!Aa1!Aa1!", "aws", "fuzz.csv", "v1", "4.0", "python3.11", "a/b", "a:b",
)  # fmt: skip
"""Strings one of which fits nearly every pattern."""

DOCUMENTS = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}',
    '{"Version":"2020-12-01","Parameters":[],"Steps":[]}',
    '{"Version":"2020-12-01","Parameters":[{"Name":"a","Type":"String"}],"Steps":[{"Name":"f","Type":"Fail",'
    '"Arguments":{"ErrorMessage":{"Get":"Parameters.a"}}}]}',
    '{"Version":"2020-12-01","Steps":[{"Name":"c","Type":"Condition","Arguments":{"Conditions":[{"Type":"Equals",'
    '"LeftValue":1,"RightValue":{"Get":"Steps.x.y"}}],"IfSteps":[],"ElseSteps":[]}}]}',
    '{"source":["aws.sagemaker"],"detail":{"a":[{"prefix":"x"},{"numeric":[">",0]}]}}',
    '{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},'
    '"action":{"type":"expire"}}]}',
    '{"a":' * 200 + "1" + "}" * 200,
    '{"Statement":[{"Effect":"Allow","Action":["s3:*",1,null],"Resource":{"a":1},"Condition":{"StringLike":{"a":[[]]}}}]}',
)


HEADERS = (
    "content-type",
    "content-encoding",
    "accept",
    "x-amz-target",
    "x-amz-security-token",
    "smithy-protocol",
    "x-amzn-query-mode",
    "user-agent",
    "origin",
    "range",
    "amz-sdk-invocation-id",
    "x-clary-principal",
    "x-clary-operation",
    "expect",
    "cookie",
)
S3_QUERIES = (
    "acl",
    "cors",
    "policy",
    "tagging",
    "versions",
    "versionId",
    "uploads",
    "uploadId",
    "partNumber",
    "delete",
    "list-type",
    "prefix",
    "delimiter",
    "marker",
    "max-keys",
    "start-after",
    "continuation-token",
    "encoding-type",
    "key-marker",
    "version-id-marker",
    "max-parts",
    "part-number-marker",
    "lifecycle",
    "notification",
    "retention",
    "legal-hold",
    "object-lock",
    "attributes",
    "select",
    "restore",
    "website",
    "logging",
    "inventory",
    "encryption",
    "response-content-type",
    "response-content-disposition",
    "response-expires",
    "response-cache-control",
    "response-content-language",
    "response-content-encoding",
    "x-id",
    "location",
    "versioning",
    "publicAccessBlock",
    "ownershipControls",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "AWSAccessKeyId",
    "Expires",
)
S3_HEADERS = (
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "x-amz-copy-source",
    "x-amz-copy-source-range",
    "x-amz-tagging",
    "x-amz-acl",
    "x-amz-meta-a",
    "content-md5",
    "content-type",
    "x-amz-checksum-crc32",
    "x-amz-checksum-sha256",
    "x-amz-checksum-algorithm",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-storage-class",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-content-sha256",
    "x-amz-trailer",
    "x-amz-decoded-content-length",
    "content-encoding",
    "cache-control",
    "content-disposition",
    "expires",
    "x-amz-object-attributes",
    "x-amz-expected-bucket-owner",
    "x-amz-website-redirect-location",
    "x-amz-mfa",
    "x-amz-grant-read",
    "x-amz-bypass-governance-retention",
    "x-amz-write-offset-bytes",
)
S3_VALUES = (
    "bytes=0-",
    "bytes=-1",
    "bytes=5-2",
    "bytes=0-0,2-3",
    "bytes=99999999999999999999-",
    "*",
    '"abc"',
    'W/"a"',
    "/fuzz/data",
    "fuzz/data?versionId=x",
    "/fuzz/%ff",
    "a=1&b=2",
    "a=%00",
    "AES256",
    "aws:kms",
    "COMPLIANCE",
    "2099-01-01T00:00:00Z",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "UNSIGNED-PAYLOAD",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-checksum-crc32",
    "CRC32",
    "SHA256",
    "private",
    "public-read",
    "ETag,ObjectSize,Checksum",
    'id="1"',
    "aws-chunked",
    *DOCUMENTS[:2],
)


class Unfit(Exception):
    """No value is known that a shape would let through."""


class Known:
    """Names, ARNs and the like that the server has told, by service and member, so that later requests name what is
    there."""

    def __init__(self, protected: tuple[str, ...]) -> None:
        self._values: dict[tuple[str, str], deque[str]] = defaultdict(lambda: deque(maxlen=40))
        self.protected = protected

    def add(self, service: str, name: str, value: str) -> None:
        """Remember a value, unless the test lives on what it names."""
        if len(value) < 600 and not any(each in value for each in self.protected):
            self._values[service, name.lower()].append(value)

    def one(self, service: str, name: str, random: Random) -> str | None:
        """A value that was told for a member of that name, or nearly that name."""
        name = name.lower()
        for key in (name, name.removeprefix("source"), name.removesuffix("s"), "name", "arn"):
            if (values := self._values.get((service, key))) and (key == name or random.random() < 0.5):
                return random.choice(list(values))
        return None


class Values:
    """Makes values of a service's shapes."""

    def __init__(self, service: str, known: Known, random: Random) -> None:
        self._service, self._known, self._random = service, known, random

    def of(self, shape: Any, name: str = "", depth: int = 0) -> Any:
        """A value as boto3 would take it; times are numbers, blobs are bytes."""
        kind, random = shape.type_name, self._random
        if kind == "structure":
            return self._structure(shape, depth)
        if kind == "list":
            least = int(shape.metadata.get("min", 0))
            count = max(min(least, 50), random.choice((0, 1, 1, 1, 2, 3))) if depth < DEEPEST else min(least, 1)
            return [self.of(shape.member, name, depth + 1) for _ in range(count)]
        if kind == "map":
            count = random.choice((0, 1, 1, 2)) if depth < DEEPEST else 0
            return {str(self.of(shape.key)): self.of(shape.value, name, depth + 1) for _ in range(count)}
        if kind in ("integer", "long", "float", "double", "bigdecimal"):
            low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 100)
            number = random.choice((low, high, (low + min(high, low + 10)) / 2))
            return float(number) if kind in ("float", "double") else int(number)
        if kind == "boolean":
            return random.random() < 0.5
        if kind == "timestamp":
            return random.choice((0, 1.6e9, 1.7e9, 2e9, 4e9))
        if kind == "blob":
            return random.choice((b"", b"abc", b"\x00\xff" * 8, b'{"a": 1}', b"1,2\n"))
        return self._text(shape, name)

    def _structure(self, shape: Any, depth: int) -> dict[str, Any]:
        if depth > DEEPEST:
            return {}
        required = set(shape.required_members)
        rate = (0.25, 0.2, 0.15, 0.1)[min(depth, 3)] if len(shape.members) > 2 else 0.7
        members = list(shape.members.items())
        if shape.metadata.get("union") or getattr(shape, "is_tagged_union", False):
            name, member = self._random.choice(members)
            return {name: self.of(member, name, depth + 1)}
        value = {}
        for name, member in members:
            if self._random.random() < (0.995 if name in required else rate):
                try:
                    value[name] = self.of(member, name, depth + 1)
                except Unfit:
                    if name in required and depth:
                        raise
                    if name in required:
                        value[name] = self._random.choice(CANDIDATES)
        return value

    def _text(self, shape: Any, name: str) -> str:
        random = self._random
        if shape.enum:
            return str(random.choice(shape.enum))
        if (told := self._known.one(self._service, name, random)) is not None and random.random() < 0.7:
            return told
        lowered = name.lower()
        if random.random() < 0.7:
            if any(word in lowered for word in ("policy", "definition", "document", "pattern")):
                return random.choice(DOCUMENTS)
            if lowered.endswith("rolearn"):
                return CANDIDATES[16]
            if "bucket" in lowered:
                return "fuzz"
        fitting = _fitting(shape.metadata.get("pattern", ""), shape.metadata.get("min", 0), shape.metadata.get("max"))
        if not fitting:
            raise Unfit
        return random.choice(fitting)

    def spoil(self, value: Any) -> Any:
        """The value with one place of it, any, made odd."""
        random = self._random
        if isinstance(value, dict) and value and random.random() < 0.85:
            key = random.choice(list(value))
            if random.random() < 0.05:
                return {**value, random.choice(("", "a" * 5000, "\0", "__proto__", "é", key + " ")): value[key]}
            return {**value, key: self.spoil(value[key])}
        if isinstance(value, list) and value and random.random() < 0.7:
            if random.random() < 0.1 and len(value) < 20:
                return value * random.choice((2, 60, 1100))
            index = random.randrange(len(value))
            return [*value[:index], self.spoil(value[index]), *value[index + 1 :]]
        return random.choice(ODD)


@lru_cache(maxsize=4096)
def _fitting(pattern: str, least: int, most: int | None) -> tuple[str, ...]:
    """The candidates that a pattern and limits of length let through."""
    long = [candidate.ljust(min(int(least), 2000), "a") for candidate in CANDIDATES]
    # The server's own matcher, for which no pattern takes forever.
    found = [each for each in long if (most is None or len(each) <= most) and (not pattern or matches(pattern, each))]
    return tuple(found)
