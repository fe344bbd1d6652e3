"""Homes that older versions have written are opened by this one, and nothing in them is lost (``kept/README.md``)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

import clary
from clary.cli.installation import Installation
from clary.cli.mistakes import Mistake
from clary.core.settings import SettingsError, load
from clary.objects import index
from clary.state.database import Database
from clary.state.migrations.upgrade import configuration
from clary.state.snapshot import move_logs
from clary.state.tables import REVISION

KEPT = sorted((Path(__file__).parent / "kept").glob("*.tar.xz"), key=lambda path: path.name)
OLD_HOME = Path("/tmp/clary-kept/home")
"""Where these homes were when they were made: the paths of logs are in the state."""


def name_of(archive: Path) -> str:
    return archive.name.partition(".")[0]


@pytest.fixture(params=KEPT, ids=name_of)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """The revision of an old home, and where it is."""
    home = tmp_path / "home"
    with tarfile.open(request.param) as archive:
        archive.extractall(home, filter="data")
    for folder, _, _ in os.walk(home):
        Path(folder).chmod(0o700)
    return name_of(request.param), home


def url_of(home: Path) -> str:
    return f"sqlite:///{home / 'state' / 'clary.db'}"


def revision_of(home: Path) -> str:
    with closing(sqlite3.connect(home / "state" / "clary.db")) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_there_is_one_of_each_revision_before_the_newest() -> None:
    from alembic.script import ScriptDirectory

    made = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    assert made - {"0003", REVISION} <= {name_of(each) for each in KEPT}


def test_it_is_what_its_name_says(kept: tuple[str, Path]) -> None:
    revision, home = kept
    assert revision_of(home) == revision
    with closing(sqlite3.connect(home / "objects" / "index.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == (1 if revision < "0006" else 2)


def test_everything_is_there_after_the_upgrade(kept: tuple[str, Path]) -> None:
    revision, home = kept
    move_logs(url_of(home), OLD_HOME, home)
    with clary.server(home=home) as server:
        check_objects(server.client("s3"), revision)
        check_sagemaker(server.client("sagemaker"), revision)
        users = server.client("iam").list_attached_user_policies(UserName="kept-user")["AttachedPolicies"]
        assert [each["PolicyName"] for each in users] == ["AmazonSageMakerFullAccess"]
        logs = server.client("logs")
        lines = logs.get_log_events(logGroupName="kept", logStreamName="s", startFromHead=True)["events"]
        assert [each["message"] for each in lines] == ["a kept line"]
        told = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs")["events"]
        assert "loss=0.5" in [each["message"] for each in told]
        if revision >= "0002":
            assert server.client("events").describe_rule(Name="kept-rule")["State"] == "ENABLED"
        if revision >= "0004":
            metrics = server.client("cloudwatch").list_metrics(Namespace="kept")["Metrics"]
            assert [each["MetricName"] for each in metrics] == ["m"]
        if revision >= "0006":
            sqs = server.client("sqs")
            queue = sqs.get_queue_url(QueueName="kept-queue")["QueueUrl"]
            assert [each["Body"] for each in sqs.receive_message(QueueUrl=queue)["Messages"]] == ["kept"]
        assert revision_of(home) == REVISION
    with closing(sqlite3.connect(home / "objects" / "index.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == index.SCHEMA_VERSION


def check_objects(s3: Any, revision: str) -> None:
    small = s3.get_object(Bucket="kept", Key="small")
    assert small["Body"].read() == b"kept since " + revision.encode() and small["Metadata"] == {"since": revision}
    assert s3.get_object_tagging(Bucket="kept", Key="small")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert s3.get_object(Bucket="kept", Key="large")["Body"].read() == bytes(range(256)) * 800
    parts = s3.get_object(Bucket="kept", Key="parts")
    assert parts["Body"].read() == b"\0" * (5 << 20) + b"the end" and parts["ETag"].endswith('-2"')
    if revision >= "0006":
        assert s3.get_object(Bucket="kept", Key="sealed")["Body"].read() == b"s" * 70_000


def check_sagemaker(sagemaker: Any, revision: str) -> None:
    model = sagemaker.describe_model(ModelName="kept-model")
    assert sagemaker.list_tags(ResourceArn=model["ModelArn"])["Tags"] == [{"Key": "since", "Value": revision}]
    variants = sagemaker.describe_endpoint_config(EndpointConfigName="kept-config")["ProductionVariants"]
    assert variants[0]["ModelName"] == "kept-model"
    job = sagemaker.describe_training_job(TrainingJobName="kept-job")
    assert job["TrainingJobStatus"] == "Completed" and job["HyperParameters"] == {"since": revision}
    assert [each["Status"] for each in job["SecondaryStatusTransitions"]][-1] == "Completed"
    assert sagemaker.describe_trial(TrialName="kept-trial")["ExperimentName"] == "kept-experiment"
    found = sagemaker.search(Resource="TrainingJob")["Results"]
    assert [each["TrainingJob"]["TrainingJobName"] for each in found] == ["kept-job"]
    # The old version's tables take what the new one writes.
    sagemaker.create_model(
        ModelName="new", ExecutionRoleArn=model["ExecutionRoleArn"], PrimaryContainer={"Image": "clary/python:3.11"}
    )
    newest = sagemaker.list_models(SortBy="CreationTime", SortOrder="Descending")["Models"]
    assert [each["ModelName"] for each in newest] == ["new", "kept-model"]


def everything(file: Path) -> dict[str, list[Any]]:
    """All rows of all tables, the documents in one spelling."""
    found = {}
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for (table,) in tables.fetchall():
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()
            found[table] = sorted(json.dumps([repr(value) for value in row]) for row in rows)
    return found


def die_at(statement: int) -> None:
    """Kill this process before that statement."""
    count = 0

    @event.listens_for(Engine, "before_cursor_execute")
    def _count(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)


def upgrade_and_die(file: Path, statement: int) -> bool:
    """Whether the upgrade came to its end before that statement, in a process of its own."""
    child = os.fork()
    if child == 0:
        die_at(statement)
        Database(f"sqlite:///{file}").prepare()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_kill_at_any_statement_of_an_upgrade_loses_nothing(tmp_path: Path) -> None:
    """Every second statement is tried; the next start then upgrades what the kill has left."""
    with tarfile.open(KEPT[0]) as archive:
        archive.extractall(tmp_path / "home", filter="data")
    old = tmp_path / "home" / "state" / "clary.db"
    whole = tmp_path / "whole.db"
    shutil.copy(old, whole)
    Database(f"sqlite:///{whole}").prepare()
    wanted = everything(whole)
    statement, kills = 1, 0
    while True:
        file = tmp_path / f"{statement}.db"
        shutil.copy(old, file)
        if upgrade_and_die(file, statement):
            break
        kills += 1
        database = Database(f"sqlite:///{file}")
        database.prepare()
        database.close()
        assert everything(file) == wanted, f"after a kill before statement {statement}"
        statement += 2
    assert kills > 10


def test_a_newer_state_is_refused(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state' / 'clary.db'}")
    database.prepare()
    database.close()
    with closing(sqlite3.connect(tmp_path / "state" / "clary.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SettingsError, match=r"the database is of a newer version of Clary .*9999"):
        Database(f"sqlite:///{tmp_path / 'state' / 'clary.db'}").prepare()
    with pytest.raises(Mistake, match="the database is of a newer version of Clary"):
        Installation(load(tmp_path, {}, port=0)).start(0)
    assert revision_of(tmp_path) == "9999"
