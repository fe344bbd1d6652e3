"""Metrics, associations by their time, and the associations from trials to their experiments."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_resources = sa.table(
    "resources",
    *(sa.column(name) for name in ("account", "region", "service", "kind", "name", "arn", "created")),
    sa.column("document", sa.JSON),
)
_associations = sa.table(
    "associations",
    *(sa.column(name) for name in ("account", "region", "source", "destination", "type", "created")),
    sa.column("document", sa.JSON),
)


def upgrade() -> None:
    """Make the table and the index, and connect the trials that are there."""
    op.create_table(
        "metrics",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("resource", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("time", sa.Float(53), nullable=False),
        sa.Column("step", sa.BigInteger),
        sa.Column("value", sa.Float(53), nullable=False),
    )
    op.create_index("metrics_by_time", "metrics", ["resource", "name", "time"])
    op.create_index("associations_by_creation", "associations", ["account", "region", "created", "id"])
    _fold_names()
    _connect_trials()


def _fold_names() -> None:
    """Experiments, trials and their components whose names differ by capital letters alone are now one and the same."""
    connection = op.get_bind()
    row = _resources.c
    mine = (row.service == "sagemaker", row.kind.in_(("Experiment", "Trial", "TrialComponent")))
    found = connection.execute(sa.select(_resources).where(*mine)).all()
    taken = {(each.account, each.region, each.kind, each.name) for each in found}
    for each in found:
        folded = (each.account, each.region, each.kind, each.name.lower())
        if folded not in taken:
            taken.add(folded)
            connection.execute(_resources.update().where(row.arn == each.arn).values(name=each.name.lower()))


def _connect_trials() -> None:
    connection = op.get_bind()
    row = _resources.c
    mine = (row.service == "sagemaker", row.kind.in_(("Experiment", "Trial")))
    found = connection.execute(sa.select(_resources).where(*mine)).all()
    experiments = {(each.account, each.region, each.name): each.arn for each in found if each.kind == "Experiment"}
    for trial in found:
        experiment = experiments.get((trial.account, trial.region, str(trial.document.get("ExperimentName")).lower()))
        if trial.kind == "Trial" and experiment is not None:
            values = {"account": trial.account, "region": trial.region, "source": trial.arn, "destination": experiment}
            values |= {"type": "TrialOf", "created": trial.created, "document": {}}
            connection.execute(_associations.insert().values(values))


def downgrade() -> None:
    """Drop them."""
    op.execute(_associations.delete().where(_associations.c.type == "TrialOf"))
    op.drop_index("associations_by_creation", "associations")
    op.drop_table("metrics")
