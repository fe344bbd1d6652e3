"""Jobs on several hosts, and endpoints of several instances: what is under way is told in the terms that allow them."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_RESOURCES = sa.table(
    "resources",
    sa.column("id", sa.BigInteger),
    sa.column("service", sa.String),
    sa.column("kind", sa.String),
    sa.column("status", sa.String),
    sa.column("created", sa.Float),
    sa.column("document", sa.JSON),
)
_ROUTES = sa.table(
    "routes",
    sa.column("account", sa.String),
    sa.column("region", sa.String),
    sa.column("name", sa.String),
    sa.column("document", sa.JSON),
)
_FIRST = "algo-1"

Document = dict[str, Any]


def upgrade() -> None:
    """Change the documents of jobs, warm pools, endpoints and routes."""
    _change(("TrainingJob", "ProcessingJob"), _job)
    _change(("WarmPool",), lambda row, document: {**document, "Places": [document["Pool"]]})
    _change(("Endpoint",), _endpoint)
    connection = op.get_bind()
    for account, region, name, document in connection.execute(sa.select(*_ROUTES.c)).all():
        variants = [
            {
                "name": variant["name"],
                "weight": variant["weight"],
                "instances": [[address] for address in variant["addresses"]],
            }
            for variant in document["variants"]
        ]
        changed = {"arn": document["arn"], "fleets": [{"share": 1, "variants": variants}]}
        here = (_ROUTES.c.account == account, _ROUTES.c.region == region, _ROUTES.c.name == name)
        connection.execute(sa.update(_ROUTES).where(*here).values(document=changed))


def _change(kinds: tuple[str, ...], change: Callable[[Any, Document], Document]) -> None:
    connection = op.get_bind()
    wanted = sa.select(*_RESOURCES.c).where(_RESOURCES.c.service == "sagemaker", _RESOURCES.c.kind.in_(kinds))
    for row in connection.execute(wanted).all():
        changed = change(row, dict(row.document))
        if changed != row.document:
            connection.execute(sa.update(_RESOURCES).where(_RESOURCES.c.id == row.id).values(document=changed))


def _job(_: Any, document: Document) -> Document:
    run = document.get("_run")
    if not run or not run.get("launched"):
        return document
    run = {**run, "hosts": [_FIRST]}
    if "seconds" in (run.get("used") or {}):
        run["used"] = {_FIRST: run["used"]}
    elif not run.get("used", True):
        del run["used"]
    return {**document, "_run": run}


def _endpoint(row: Any, document: Document) -> Document:
    if row.status not in ("Creating", "Updating"):
        document.pop("_wanted", None)
    serving = document.get("_serving")
    if serving is None:
        return document
    changed = {
        "generation": serving["generation"],
        "current": _deployment(row, serving["current"]),
        "next": _deployment(row, serving["next"]),
        "shift": None,
        "old": [{"servers": _servers(old["servers"]), "until": old["until"]} for old in serving["old"]],
    }
    return {**document, "_serving": changed}


def _deployment(row: Any, deployment: Document | None) -> Document | None:
    if deployment is None:
        return None
    servers = deployment["servers"]
    return {
        "config": deployment["config"],
        "capture": None,
        "since": row.created,
        "variants": [
            {
                "variant": server["variant"],
                "model": server["model"],
                "count": 1,
                "weight": server["variant"]["InitialVariantWeight"],
            }
            for server in servers
        ],
        "servers": _servers(servers),
        "prefix": servers[0]["id"].rpartition(".")[0],
        "serial": len(servers),
    }


def _servers(servers: list[Document]) -> list[Document]:
    return [
        {
            "id": server["id"],
            "variant": server["variant"]["VariantName"],
            "instance": number,
            "container": 0,
            "address": server.get("address"),
        }
        for number, server in enumerate(servers)
    ]


def downgrade() -> None:
    """Older versions know one host a job and one instance a variant, which is not in every document."""
    raise NotImplementedError("Restore the database from before the upgrade.")
