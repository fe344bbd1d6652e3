"""Role Manager on the command line: roles made of personas and ML activities, with calls of IAM.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/role-manager.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clary.cli.client import ApiError, Client
from clary.cli.mistakes import Mistake
from clary.cli.role_options import OPTIONS


def catalog(client: Client) -> dict[str, Any]:
    """What roles may be made of. Raises ``ApiError``."""
    return _own(client, "GET", "/_clary/role-manager")


def personas(client: Client) -> str:
    """The personas as a table."""
    said = catalog(client)
    return _table(["PERSONA", "WHAT IT IS", "ACTIVITIES"], [_row(each) for each in said["Personas"]])


def _row(persona: Mapping[str, Any]) -> list[str]:
    return [persona["Name"], persona["Title"], ", ".join(persona["Activities"])]


def activities(client: Client) -> str:
    """The activities as a table, with the options that they need."""
    said = catalog(client)
    rows = [
        [
            each["Name"],
            each["Title"],
            " ".join(OPTIONS[name][0] for name in each["Parameters"])
            + "".join(f" [{OPTIONS[name][0]}]" for name in each["OptionalParameters"]),
        ]
        for each in said["Activities"]
    ]
    return _table(["ACTIVITY", "WHAT IT IS", "NEEDS"], rows)


def documents(client: Client, wish: Mapping[str, Any]) -> dict[str, Any]:
    """The trust policy and the policies of a role that is wished for. Raises ``ApiError``."""
    return _own(client, "POST", "/_clary/role-manager/policies", json.dumps(wish).encode())


def create(
    client: Client,
    made: Mapping[str, Any],
    description: str = "",
    boundary: str = "",
    tags: Sequence[tuple[str, str]] = (),
) -> str:
    """Make the role of these ``documents``, and give its ARN; if anything fails, nothing is left.

    Raises ``ApiError`` and ``OSError`` with what failed, and ``Mistake`` where something could not be taken back.
    """
    undo: list[Callable[[], Any]] = []

    def later(action: str, **parameters: str) -> None:
        undo.append(lambda: client.query("iam", action, **parameters))

    tagged = {
        f"Tags.member.{number}.{part}": text
        for number, tag in enumerate(tags, 1)
        for part, text in zip(("Key", "Value"), tag, strict=True)
    }
    try:
        attached = list(made["PolicyArns"])
        for policy in made["Policies"]:
            answer = client.query(
                "iam",
                "CreatePolicy",
                PolicyName=policy["PolicyName"],
                Path=policy["Path"],
                Description=policy["Description"],
                PolicyDocument=json.dumps(policy["Document"]),
                **tagged,
            )
            attached.append(answer.findtext(".//Arn", ""))
            later("DeletePolicy", PolicyArn=attached[-1])
        name = made["RoleName"]
        limit = {"PermissionsBoundary": boundary} if boundary else {}
        answer = client.query(
            "iam",
            "CreateRole",
            RoleName=name,
            Description=description,
            AssumeRolePolicyDocument=json.dumps(made["TrustPolicy"]),
            **limit,
            **tagged,
        )
        later("DeleteRole", RoleName=name)
        for arn in attached:
            client.query("iam", "AttachRolePolicy", RoleName=name, PolicyArn=arn)
            later("DetachRolePolicy", RoleName=name, PolicyArn=arn)
    except BaseException as error:
        _take_back(undo, error)
        raise
    return answer.findtext(".//Arn", "")


def _take_back(undo: Sequence[Callable[[], Any]], error: BaseException) -> None:
    problems = []
    for step in reversed(undo):
        try:
            step()
        except (ApiError, OSError) as problem:
            problems.append(str(problem))
    if problems:
        raise Mistake(f"{error}; and not all could be taken back: {'; '.join(problems)}") from error


def delete(client: Client, role: str) -> list[str]:
    """Delete a role that was made so, with the policies that were made for it; gives what is gone.

    Raises ``ApiError`` and ``OSError``, and ``Mistake`` for a role that has another name.
    """
    said = catalog(client)
    prefix, path = said["RoleNamePrefix"], said["PolicyPath"]
    if not role.startswith(prefix):
        raise Mistake(f"{role} was not made by the role manager: names of its roles begin with {prefix}", 2)
    ending = f"_{role.removeprefix(prefix)}"
    attached = client.query("iam", "ListAttachedRolePolicies", RoleName=role)
    arns = [each.text or "" for each in attached.iter("PolicyArn")]
    for arn in arns:
        client.query("iam", "DetachRolePolicy", RoleName=role, PolicyArn=arn)
    client.query("iam", "DeleteRole", RoleName=role)
    own = [arn for arn in arns if f":policy{path}" in arn and arn.endswith(ending)]
    for arn in own:
        client.query("iam", "DeletePolicy", PolicyArn=arn)
    return [role, *(arn.rpartition("/")[2] for arn in own)]


def _own(client: Client, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
    status, answer = client.send(method, path, "clary", body)
    said: dict[str, Any] = json.loads(answer)
    if status != 200:
        raise ApiError(said.get("code", "Unknown"), said.get("message", ""), status)
    return said


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in [heads, *rows])
    return "\n".join(line.rstrip() for line in lines)
