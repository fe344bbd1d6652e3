from __future__ import annotations

import fnmatch
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.services.iam.patterns import ArnPattern, Pattern, PatternSet
from clary.services.iam.policy import (
    Consent,
    Effect,
    Grant,
    Layer,
    Permissions,
    Policies,
    PolicyError,
    Principals,
    Request,
    compile_policy,
    make_context,
    policies,
)

VERSION = "2012-10-17"


def policy(*statements: dict[str, Any], version: str = VERSION) -> Policies:
    return policies([json.dumps({"Version": version, "Statement": list(statements)})])


def decide(
    statement: dict[str, Any], action: str = "s3:GetObject", resource: str = "arn:aws:s3:::b/k", **context: Any
) -> Effect:
    whole = {"Effect": "Allow", "Action": "*", "Resource": "*", **statement}
    values = make_context({key.replace("__", ":"): value for key, value in context.items()})
    return policy(whole).decide(Request(action, resource, values)).effect


def holds(condition: dict[str, Any], version: str = VERSION, **context: Any) -> bool:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    values = make_context({key.replace("__", ":"): value for key, value in context.items()})
    return policy(statement, version=version).decide(Request("s3:GetObject", "*", values)).allowed


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "s3:GetObject", True),
        ("s3:*", "s3:GetObject", True),
        ("S3:getobject", "s3:GetObject", True),
        ("s3:Get*", "s3:PutObject", False),
        ("iam:*AccessKey*", "iam:CreateAccessKey", True),
        ("s3:GetObjec?", "s3:GetObject", True),
        ("s3:GetObject?", "s3:GetObject", False),
        ("s3:GetObject", "s3:GetObjectAcl", False),
    ],
)
def test_actions(pattern: str, action: str, expected: bool) -> None:
    assert (decide({"Action": pattern}, action) is Effect.ALLOWED) is expected


def test_not_action_and_not_resource() -> None:
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    assert policy(statement).decide(Request("s3:GetObject", "*")).allowed
    assert not policy(statement).decide(Request("iam:GetUser", "*")).allowed
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notresource.html
    denial = {
        "Effect": "Deny",
        "Action": "s3:*",
        "NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"],
    }
    both = policy(denial, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    assert both.decide(Request("s3:GetObject", "arn:aws:s3:::HRBucket/Payroll/a")).allowed
    assert both.decide(Request("s3:GetObject", "arn:aws:s3:::Other/a")).effect is Effect.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", False),
        ("arn:aws:s3:::*/*/test/*", "arn:aws:s3:::b/1/2/test/object.jpg", True),
        ("arn:aws:s3:::B", "arn:aws:s3:::b", False),
        ("arn:aws:iam::123456789012:user/?ob", "arn:aws:iam::123456789012:user/bob", True),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", True),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", False),
        ("arn:aws:s3:::b/${$}{aws:username}", "arn:aws:s3:::b/${aws:username}", True),
        # A wildcard stays within its part of the ARN, unless it is the last character.
        ("arn:aws:sqs:*:1:q", "arn:aws:sqs:us-east-1:2:1:q", False),
        ("arn:aws:sqs:*:q", "arn:aws:sqs:us-east-1:1:q", False),
        ("arn:aws:sqs:??????:1:q", "arn:aws:sqs:us-e:2:1:q", False),
        ("arn:aws:s*:q", "arn:aws:sqs:us-east-1:1:q", False),
        ("arn:aws:sqs:*", "arn:aws:sqs:us-east-1:1:q", True),
        ("arn:aws:logs:*:*:log-group:*:stream:a", "arn:aws:logs:eu:1:log-group:b:stream:a", True),
    ],
)
def test_resources(pattern: str, resource: str, expected: bool) -> None:
    assert (decide({"Resource": pattern}, resource=resource) is Effect.ALLOWED) is expected


def test_policy_variables() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    home = {"Resource": "arn:aws:s3:::b/${aws:username}/*"}
    assert decide(home, resource="arn:aws:s3:::b/ann/x", aws__username="ann") is Effect.ALLOWED
    assert decide(home, resource="arn:aws:s3:::b/bob/x", aws__username="ann") is Effect.IMPLICIT_DENY
    assert decide(home, resource="arn:aws:s3:::b//x") is Effect.IMPLICIT_DENY
    # What takes a variable's place is text, even if it looks like a wildcard.
    assert decide(home, resource="arn:aws:s3:::b/bob/x", aws__username="*") is Effect.IMPLICIT_DENY
    default = {"Resource": "arn:aws:s3:::b/${aws:PrincipalTag/team, 'company-wide'}/*"}
    assert decide(default, resource="arn:aws:s3:::b/company-wide/x") is Effect.ALLOWED
    assert decide(default, resource="arn:aws:s3:::b/yellow/x", **{"aws:PrincipalTag/team": "yellow"}) is Effect.ALLOWED
    condition = {"StringLike": {"s3:prefix": ["${aws:username}/*"]}}
    assert holds(condition, s3__prefix="ann/x", aws__username="ann")
    assert not holds(condition, version="2008-10-17", s3__prefix="ann/x", aws__username="ann")


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"aws:x": ["a", "b"]}}, {"aws:x": "b"}, True),
        ({"StringEquals": {"aws:x": "a"}}, {"aws:x": "A"}, False),
        ({"StringEquals": {"aws:x": "a*"}}, {"aws:x": "ab"}, False),
        ({"StringEquals": {"AWS:X": "a"}}, {"aws:x": "a"}, True),
        ({"StringEquals": {"aws:x": "a"}}, {}, False),
        ({"StringNotEquals": {"aws:x": ["a", "b"]}}, {"aws:x": "b"}, False),
        ({"StringNotEquals": {"aws:x": ["a", "b"]}}, {"aws:x": "c"}, True),
        ({"StringNotEquals": {"aws:x": "a"}}, {}, True),
        ({"StringEqualsIgnoreCase": {"aws:x": "ABC"}}, {"aws:x": "abc"}, True),
        ({"StringNotEqualsIgnoreCase": {"aws:x": "ABC"}}, {"aws:x": "abc"}, False),
        ({"StringLike": {"aws:x": "a?c*"}}, {"aws:x": "abcde"}, True),
        ({"StringNotLike": {"aws:x": "a*"}}, {"aws:x": "abc"}, False),
        ({"StringEqualsIfExists": {"aws:x": "a"}}, {}, True),
        ({"StringEqualsIfExists": {"aws:x": "a"}}, {"aws:x": "b"}, False),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": 10}, True),
        ({"NumericLessThan": {"s3:max-keys": 10}}, {"s3:max-keys": "10"}, False),
        ({"NumericGreaterThan": {"s3:max-keys": "9.5"}}, {"s3:max-keys": 10}, True),
        ({"NumericEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "ten"}, False),
        ({"NumericNotEquals": {"s3:max-keys": ["1", "2"]}}, {"s3:max-keys": "2"}, False),
        ({"DateGreaterThan": {"aws:t": "2020-01-01T00:00:01Z"}}, {"aws:t": "2020-01-01T00:00:02Z"}, True),
        ({"DateLessThan": {"aws:t": "2020-01-01"}}, {"aws:t": 1_577_836_799}, True),
        ({"DateEquals": {"aws:t": "2020-01-01T01:00:00+01:00"}}, {"aws:t": "2020-01-01T00:00:00Z"}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": False}, True),
        ({"Bool": {"aws:SecureTransport": True}}, {"aws:SecureTransport": "TRUE"}, True),
        ({"BinaryEquals": {"aws:x": "QmluYXJ5"}}, {"aws:x": "QmluYXJ5"}, True),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.9"}, True),
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}}, {"aws:SourceIp": "2001:db8::1"}, True),
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "203.0.113.9"}, False),
        ({"ArnLike": {"aws:a": "arn:aws:sns:*:123456789012:T*"}}, {"aws:a": "arn:aws:sns:eu:123456789012:Topic"}, True),
        ({"ArnEquals": {"aws:a": "arn:aws:iam::*:role/R"}}, {"aws:a": "arn:aws:iam::1:role/R"}, True),
        ({"ArnLike": {"aws:a": "arn:aws:s*:topic"}}, {"aws:a": "arn:aws:sns:eu:1:topic"}, False),
        ({"ArnNotLike": {"aws:a": "arn:aws:iam::1:role/*"}}, {"aws:a": "arn:aws:iam::1:role/R"}, False),
        ({"Null": {"aws:TokenIssueTime": "true"}}, {}, True),
        ({"Null": {"aws:TokenIssueTime": "true"}}, {"aws:TokenIssueTime": "1"}, False),
        ({"Null": {"aws:TokenIssueTime": False}}, {"aws:TokenIssueTime": "1"}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["a"]}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["a", "c"]}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:TagKeys": ["c", "b"]}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, {}, False),
        ({"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": ["a"]}}, {}, True),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}, {"aws:TagKeys": ["a", "b"]}, True),
        # A key that may have several values needs a set operator.
        ({"StringEquals": {"aws:TagKeys": "a"}}, {"aws:TagKeys": ["a"]}, False),
        ({"StringNotEquals": {"aws:TagKeys": "b"}}, {"aws:TagKeys": ["a", "c"]}, False),
        ({"StringEquals": {"aws:x": "${aws:TagKeys}"}}, {"aws:x": "a", "aws:TagKeys": ["a"]}, False),
        # A value that an operator cannot read is neither equal to anything nor different from it.
        ({"NumericNotEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "ten"}, False),
        ({"NumericNotEquals": {"s3:max-keys": "10"}}, {"s3:max-keys": "nan"}, False),
        ({"DateNotEquals": {"aws:t": "2020-01-01"}}, {"aws:t": "soon"}, False),
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "nowhere"}, False),
        ({"ArnNotLike": {"aws:a": "arn:aws:iam::1:role/*"}}, {"aws:a": "role/R"}, False),
        ({"Bool": {"aws:x": "yes"}}, {"aws:x": "yes"}, False),
        ({"Null": {"aws:x": "maybe"}}, {"aws:x": "1"}, False),
        ({"DateLessThan": {"aws:t": "2020-02"}}, {"aws:t": "2020-01-31T23:59:59Z"}, True),
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, {"aws:SourceIp": "2001:db8::1"}, True),
        ({"StringEquals": {"aws:x": "a"}, "Bool": {"aws:y": "true"}}, {"aws:x": "a", "aws:y": "false"}, False),
        ({"StringEquals": {"aws:x": "a", "aws:y": "b"}}, {"aws:x": "a"}, False),
    ],
)
def test_conditions(condition: dict[str, Any], context: dict[str, Any], expected: bool) -> None:
    assert holds(condition, **context) is expected


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}',
        '{"Statement":[{"Effect":"Allow","Resource":"*"}]}',
        '{"Statement":[{"Effect":"Allow","Action":[1],"Resource":"*"}]}',
        '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Nope":{"a":"b"}}}]}',
        '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"a":"b"}}}]}',
        '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a":"b"}}}]}',
    ],
)
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(PolicyError):
        compile_policy(text)


ANN = Principals(frozenset(["arn:aws:iam::111122223333:user/ann"]), "111122223333")
ROLE = "arn:aws:iam::111122223333:role/r"
SESSION = "arn:aws:sts::111122223333:assumed-role/r/s"
WORKER = Principals(frozenset([ROLE, SESSION]), "111122223333", role=ROLE)


@pytest.mark.parametrize(
    ("principal", "caller", "expected"),
    [
        ("*", ANN, Grant.CALLER),
        ({"AWS": "*"}, ANN, Grant.CALLER),
        ({"AWS": "111122223333"}, ANN, Grant.ACCOUNT),
        ({"AWS": "arn:aws:iam::111122223333:root"}, ANN, Grant.ACCOUNT),
        ({"AWS": ["arn:aws:iam::111122223333:user/ann"]}, ANN, Grant.CALLER),
        ({"AWS": "arn:aws:iam::111122223333:user/bob"}, ANN, Grant.NOBODY),
        ({"AWS": "444455556666"}, ANN, Grant.NOBODY),
        ({"Service": "sagemaker.amazonaws.com"}, ANN, Grant.NOBODY),
        ({"AWS": ROLE}, WORKER, Grant.ROLE),
        ({"AWS": SESSION}, WORKER, Grant.CALLER),
        ({"AWS": [ROLE, SESSION]}, WORKER, Grant.CALLER),
        ({"AWS": ["111122223333", ROLE]}, WORKER, Grant.ROLE),
    ],
)
def test_principals(principal: Any, caller: Principals, expected: Grant) -> None:
    trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal})
    request = Request("sts:AssumeRole", "arn:aws:iam::111122223333:role/other", principals=caller)
    assert trust.decide(request).allowed is bool(expected)
    assert trust.grant(request)[0] is expected


def test_service_principals() -> None:
    trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}})
    sagemaker = Principals(service="sagemaker.amazonaws.com")
    assert trust.decide(Request("sts:AssumeRole", "*", principals=sagemaker)).allowed
    assert not trust.decide(Request("sts:AssumeRole", "*", principals=Principals())).allowed


def test_not_principal() -> None:
    denial = {"Effect": "Deny", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": list(ANN.own)}}
    everybody = policy(denial, {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"})
    assert everybody.decide(Request("s3:GetObject", "*", principals=ANN)).allowed
    assert not everybody.decide(Request("s3:GetObject", "*", principals=Principals(account="1"))).allowed


ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY: dict[str, Any] = {"Effect": "Deny", "Action": "*", "Resource": "*"}
READ: dict[str, Any] = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}


@pytest.mark.parametrize(
    ("permissions", "resource", "expected"),
    [
        (Permissions(policy()), None, Effect.IMPLICIT_DENY),
        (Permissions(policy(ALLOW)), None, Effect.ALLOWED),
        (Permissions(policy(ALLOW, DENY)), None, Effect.EXPLICIT_DENY),
        (Permissions(policy(ALLOW), boundary=policy()), None, Effect.IMPLICIT_DENY),
        (Permissions(policy(ALLOW), boundary=policy(READ)), None, Effect.ALLOWED),
        (Permissions(policy(), boundary=policy(ALLOW)), None, Effect.IMPLICIT_DENY),
        (Permissions(policy(ALLOW), session=policy()), None, Effect.IMPLICIT_DENY),
        (Permissions(policy(ALLOW), session=policy(DENY)), None, Effect.EXPLICIT_DENY),
        (Permissions(policy()), policy({**READ, "Principal": {"AWS": list(ANN.own)}}), Effect.ALLOWED),
        (Permissions(policy()), policy({**READ, "Principal": {"AWS": ANN.account}}), Effect.IMPLICIT_DENY),
        (Permissions(policy(ALLOW)), policy({**DENY, "Principal": "*"}), Effect.EXPLICIT_DENY),
        (Permissions(policy(DENY)), policy({**ALLOW, "Principal": "*"}), Effect.EXPLICIT_DENY),
    ],
)
def test_layers(permissions: Permissions, resource: Policies | None, expected: Effect) -> None:
    request = Request("s3:GetObject", "arn:aws:s3:::b/k", principals=ANN)
    assert permissions.decide(request, resource).effect is expected


NARROW = Permissions(policy(), boundary=policy(), session=policy())


@pytest.mark.parametrize(
    ("principal", "permissions", "consent", "expected"),
    [
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
        ({"AWS": SESSION}, NARROW, Consent.OPTIONAL, (Effect.ALLOWED, Layer.RESOURCE)),
        ("*", NARROW, Consent.OPTIONAL, (Effect.ALLOWED, Layer.RESOURCE)),
        ({"AWS": ROLE}, NARROW, Consent.OPTIONAL, (Effect.IMPLICIT_DENY, Layer.BOUNDARY)),
        ({"AWS": ROLE}, Permissions(policy()), Consent.OPTIONAL, (Effect.ALLOWED, Layer.RESOURCE)),
        (
            {"AWS": ROLE},
            Permissions(policy(), session=policy()),
            Consent.OPTIONAL,
            (Effect.IMPLICIT_DENY, Layer.SESSION),
        ),
        # A key's policy and a role's trust have to consent, if only to let the account decide.
        (None, Permissions(policy(ALLOW)), Consent.OPTIONAL, (Effect.ALLOWED, Layer.IDENTITY)),
        (None, Permissions(policy(ALLOW)), Consent.REQUIRED, (Effect.IMPLICIT_DENY, Layer.RESOURCE)),
        ({"AWS": "111122223333"}, Permissions(policy(ALLOW)), Consent.REQUIRED, (Effect.ALLOWED, Layer.IDENTITY)),
        ({"AWS": "111122223333"}, Permissions(policy()), Consent.REQUIRED, (Effect.IMPLICIT_DENY, Layer.IDENTITY)),
        ({"AWS": SESSION}, NARROW, Consent.REQUIRED, (Effect.ALLOWED, Layer.RESOURCE)),
        # A resource of another account needs both.
        ({"AWS": SESSION}, Permissions(policy()), Consent.FOREIGN, (Effect.IMPLICIT_DENY, Layer.IDENTITY)),
        ({"AWS": SESSION}, Permissions(policy(ALLOW)), Consent.FOREIGN, (Effect.ALLOWED, Layer.IDENTITY)),
        (None, Permissions(policy(ALLOW)), Consent.FOREIGN, (Effect.IMPLICIT_DENY, Layer.RESOURCE)),
        (None, Permissions(policy(DENY)), Consent.FOREIGN, (Effect.EXPLICIT_DENY, Layer.IDENTITY)),
    ],
)
def test_what_a_resources_policy_has_to_say(
    principal: Any, permissions: Permissions, consent: Consent, expected: tuple[Effect, Layer]
) -> None:
    request = Request("s3:GetObject", "arn:aws:s3:::b/k", principals=WORKER)
    resource = policy({**READ, "Principal": principal}) if principal else None
    decision = permissions.decide(request, resource, consent)
    assert (decision.effect, decision.layer) == expected


def test_not_principal_meets_everybody_who_has_a_boundary() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    denial = policy({**DENY, "NotPrincipal": {"AWS": list(ANN.own)}})
    assert denial.decide(Request("s3:GetObject", "*", principals=ANN)).effect is Effect.IMPLICIT_DENY
    bounded = replace(ANN, bounded=True)
    assert denial.decide(Request("s3:GetObject", "*", principals=bounded)).effect is Effect.EXPLICIT_DENY


texts = st.text(alphabet="ab:/", max_size=8)
globs = st.text(alphabet="ab:/*?", max_size=8)


@given(globs, texts)
def test_wildcards_are_those_of_the_shell(pattern: str, text: str) -> None:
    expected = fnmatch.fnmatchcase(text, pattern)
    assert Pattern(pattern, wildcards=True, variables=True).matches(text, {}) is expected


@given(st.lists(globs, max_size=4), texts)
def test_a_set_matches_what_one_of_it_matches(patterns: list[str], text: str) -> None:
    expected = any(Pattern(item, wildcards=True, variables=True).matches(text, {}) for item in patterns)
    assert PatternSet(patterns, variables=True).matches(text, {}) is expected


@given(texts, globs, texts)
def test_a_value_is_never_a_wildcard(value: str, text: str, tail: str) -> None:
    pattern = Pattern("${aws:x}/" + tail.replace("*", ""), wildcards=True, variables=True)
    context = {"aws:x": (text,)}
    assert pattern.matches(f"{text}/{tail}", context)
    assert pattern.matches(f"{value}/{tail}", context) is (value == text)


@given(st.text(max_size=20))
def test_any_text_fits_itself_as_a_condition(value: str) -> None:
    literal = value.replace("$", "${$}")
    assert Pattern(literal, wildcards=False, variables=True).matches(value, {})


statements = st.builds(
    lambda effect, action, resource: {"Effect": effect, "Action": action, "Resource": resource},
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["*", "s3:*", "s3:Get*", "s3:GetObject", "s3:Put*", "iam:*"]),
    st.sampled_from(["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/k", "arn:aws:s3:::c/*"]),
)


@given(st.lists(statements, max_size=6), st.sampled_from(["s3:GetObject", "s3:PutObject", "iam:GetUser"]))
def test_a_denial_wins_wherever_it_stands(items: list[dict[str, str]], action: str) -> None:
    resource = "arn:aws:s3:::b/k"

    def applies(item: dict[str, str]) -> bool:
        return fnmatch.fnmatchcase(action, item["Action"]) and fnmatch.fnmatchcase(resource, item["Resource"])

    effects = {item["Effect"] for item in items if applies(item)}
    expected = (
        Effect.EXPLICIT_DENY if "Deny" in effects else Effect.ALLOWED if "Allow" in effects else Effect.IMPLICIT_DENY
    )
    request = Request(action, resource)
    assert policy(*items).decide(request).effect is expected
    assert policy(*items).explain(request).effect is expected
    assert policy(*reversed(items)).decide(request).effect is expected


@given(st.lists(statements, max_size=4), st.lists(statements, max_size=4))
def test_a_session_policy_only_narrows(items: list[dict[str, str]], session: list[dict[str, str]]) -> None:
    request = Request("s3:GetObject", "arn:aws:s3:::b/k")
    narrowed = Permissions(policy(*items), session=policy(*session)).decide(request).allowed
    assert narrowed is (policy(*items).decide(request).allowed and policy(*session).decide(request).allowed)


def test_many_wildcards_cost_little() -> None:
    pattern = Pattern("*a" * 30 + "*b", wildcards=True, variables=True)
    began = time.perf_counter()
    assert not pattern.matches("a" * 5000, {})
    assert time.perf_counter() - began < 1


def test_arn_patterns_keep_wildcards_within_their_part() -> None:
    assert ArnPattern("arn:aws:iam::${aws:x}:role/*", variables=True).matches(
        "arn:aws:iam::1:role/a", {"aws:x": ("1",)}
    )
    assert not ArnPattern("arn:*:role/*", variables=True).matches("arn:aws:iam::1:role/a", {})
