"""The tables as they are defined are those that the migrations make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from clary.state.database import Database
from clary.state.migrations.upgrade import configuration, upgrade
from clary.state.tables import REVISION, metadata


def test_the_newest_migration_is_the_one_that_the_tables_name() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == REVISION


def test_migrating_an_empty_database_gives_the_defined_tables(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_preparing_twice_changes_nothing_and_the_file_is_private(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "state.db"
    for _ in range(2):
        database = Database(f"sqlite:///{file}")
        database.prepare()
        assert database.is_prepared()
        database.close()
    assert file.stat().st_mode & 0o077 == 0


def test_what_was_under_way_goes_on_after_the_fifth_migration(tmp_path: Path) -> None:
    """Documents as they were before jobs had several hosts, and endpoints several instances."""
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    config = configuration()
    server = {
        "id": "Endpoint-4-2.0",
        "attempt": 1,
        "variant": {"VariantName": "v", "InitialVariantWeight": 1.0},
        "model": {"PrimaryContainer": {"Image": "i"}},
        "address": "unix:/s",
    }
    serving = {
        "generation": 2,
        "current": {"config": "c", "servers": [server]},
        "next": None,
        "old": [{"config": "b", "servers": [{**server, "id": "Endpoint-4-1.0"}], "until": 9.0}],
    }
    used = {"seconds": 1.0, "cpu_s": 1.0, "peak_bytes": 1}
    before: dict[str, tuple[str, dict[str, Any]]] = {
        "TrainingJob": ("InProgress", {"_run": {"attempt": 1, "launched": True, "used": used}}),
        "ProcessingJob": ("InProgress", {"_run": {"attempt": 1, "launched": False}}),
        "WarmPool": ("", {"Pool": "pool-1"}),
        "Endpoint": ("InService", {"_wanted": "c", "_serving": serving}),
        "Model": ("", {"Pool": "untouched"}),
    }
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        for number, (kind, (status, document)) in enumerate(before.items(), 1):
            connection.execute(
                text(
                    "INSERT INTO resources (id, account, region, service, kind, parent, name, arn, status, created,"
                    " modified, document, version, fence) VALUES (:id, '1', 'r', 'sagemaker', :kind, '', 'n',"
                    " :arn, :status, 5, 5, :document, 1, 0)"
                ),
                {"id": number, "kind": kind, "arn": kind, "status": status, "document": json.dumps(document)},
            )
        route = {"arn": "a", "variants": [{"name": "v", "weight": 1.0, "addresses": ["unix:/s"]}]}
        connection.execute(
            text("INSERT INTO routes VALUES ('1', 'r', 'n', :document)"), {"document": json.dumps(route)}
        )
    upgrade(engine)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT kind, document FROM resources")).all()
        [told] = connection.execute(text("SELECT document FROM routes")).scalars()
    after = {kind: json.loads(document) for kind, document in rows}
    assert after["TrainingJob"]["_run"]["hosts"] == ["algo-1"]
    assert after["TrainingJob"]["_run"]["used"] == {"algo-1": used}
    assert after["ProcessingJob"] == before["ProcessingJob"][1] and after["Model"] == before["Model"][1]
    assert after["WarmPool"]["Places"] == ["pool-1"]
    assert "_wanted" not in after["Endpoint"]
    current = after["Endpoint"]["_serving"]["current"]
    assert current["prefix"] == "Endpoint-4-2" and current["serial"] == 1 and current["variants"][0]["count"] == 1
    assert current["servers"] == [
        {"id": "Endpoint-4-2.0", "variant": "v", "instance": 0, "container": 0, "address": "unix:/s"}
    ]
    assert after["Endpoint"]["_serving"]["old"][0]["servers"][0]["id"] == "Endpoint-4-1.0"
    variants = [{"name": "v", "weight": 1.0, "instances": [["unix:/s"]]}]
    assert json.loads(told) == {"arn": "a", "fleets": [{"share": 1, "variants": variants}]}


def test_rules_get_shorter_arns_and_keep_their_time_after_the_sixth_migration(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    config = configuration()
    prefix = "arn:aws:events:us-east-1:123456789012:rule"
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        for number, name in enumerate(("default/r", "ours/r"), 1):
            connection.execute(
                text(
                    "INSERT INTO resources (id, account, region, service, kind, parent, name, arn, status, created,"
                    " modified, document, version, fence) VALUES (:id, '1', 'r', 'events', 'Rule', :arn, 'n', :arn,"
                    " '', 5, 5, '{}', 1, 0)"
                ),
                {"id": number, "arn": f"{prefix}/{name}"},
            )
            connection.execute(text("INSERT INTO tags VALUES (:arn, 'k', 'v')"), {"arn": f"{prefix}/{name}"})
    upgrade(engine)
    with engine.connect() as connection:
        wanted = [f"{prefix}/r", f"{prefix}/ours/r"]
        found = connection.execute(text("SELECT arn, wake_at FROM resources ORDER BY id")).all()
        assert [tuple(row) for row in found] == [(arn, 5.0) for arn in wanted]
        assert set(connection.execute(text("SELECT arn FROM tags")).scalars()) == set(wanted)


def test_jobs_that_run_have_their_places_after_the_seventh_migration(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    config = configuration()
    hosts = ["algo-1", "algo-1.2", "algo-2"]
    jobs: list[tuple[str, dict[str, Any], float | None]] = [
        ("TrainingJob", {"_run": {"attempt": 1, "launched": True, "hosts": hosts}}, 5.0),
        ("ProcessingJob", {"_run": {"attempt": 1, "launched": False}}, 5.0),
        ("TransformJob", {}, 5.0),
        ("TrainingJob", {"_run": {"attempt": 1, "launched": True, "hosts": hosts}}, None),
        ("Endpoint", {}, 5.0),
    ]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        for number, (kind, document, wake_at) in enumerate(jobs, 1):
            connection.execute(
                text(
                    "INSERT INTO resources (id, account, region, service, kind, parent, name, arn, status, created,"
                    " modified, document, version, fence, wake_at) VALUES (:id, '1', 'r', 'sagemaker', :kind, '', :id,"
                    " 'a', 'InProgress', 5, 5, :document, 1, 0, :wake_at)"
                ),
                {"id": number, "kind": kind, "document": json.dumps(document), "wake_at": wake_at},
            )
    upgrade(engine)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT row, hosts, priority, running FROM places")).all()
        assert [tuple(row) for row in found] == [(1, 2, 0, 1)]
