"""The nouns as Search shows them: with what they are connected with, and what their documents say within a text.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrialComponent.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import orjson

from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.view import Seen, view
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.lineage.api import MEMBER
from clary.state.records import Record
from clary.state.search.clauses import Path
from clary.state.transaction import Transaction

if TYPE_CHECKING:
    from botocore.model import Shape

_RUN = ("sagemaker:trial-component-source", "run")
"""The tag by which the SDK marks the trial components that are runs."""
_SOURCES = ("TrainingJob", "ProcessingJob", "TransformJob")


@dataclass(frozen=True)
class Listed:
    """A member that lists resources of another noun, and where their members stand in the database."""

    association: str
    noun: str
    incoming: bool
    places: Mapping[str, Path]


LISTED: Mapping[tuple[str, str], Listed] = {
    ("TrialComponent", "Parents"): Listed(
        MEMBER, "Trial", False, {"TrialName": ("@name", "TrialName"), "ExperimentName": ("ExperimentName",)}
    ),
    ("Trial", "TrialComponentSummaries"): Listed(
        MEMBER,
        "TrialComponent",
        True,
        {
            "TrialComponentName": ("@name", "TrialComponentName"),
            "TrialComponentArn": ("@arn",),
            "CreationTime": ("@created",),
        },
    ),
}
"""Such members, by the noun that has them."""

PARTS: Mapping[tuple[str, str], Path] = {("TrialComponent", "RunName"): ("@name", "TrialComponentName")}
"""Members, by the noun that has them, that are a part of another text, and where that stands in the database."""

_Rows = list[dict[str, Any]] | None
_Names = Callable[[Context, Transaction, Record], Iterable[str]]


class Nouns:
    """The nouns by name, with the members that only Search shows; ``record`` are the members of ``SearchRecord``."""

    def __init__(self, declared: Iterable[Resource], record: Mapping[str, Shape]) -> None:
        self._declared = {resource.noun: resource for resource in declared}
        self._record = record
        self._made: dict[str, Resource] = {}
        # What belongs to each resource is gathered once a request, not once a row.
        self._gathered: WeakKeyDictionary[Transaction, dict[str, Mapping[str, list[Record]]]] = WeakKeyDictionary()
        self._members: Mapping[str, Mapping[str, Seen]] = {
            "Trial": {"TrialComponentSummaries": self._components},
            "TrialComponent": {"Parents": _parents, "RunName": _run_name, "SourceDetail": self._source},
            "Endpoint": {"MonitoringSchedules": self._schedules_of_endpoint},
            "ModelCard": {
                "ModelId": _in_content("model_overview.model_id", "model_package_details.model_package_arn"),
                "RiskRating": _in_content("intended_uses.risk_rating"),
                "ModelPackageGroupName": _in_content("model_package_details.model_package_group_name"),
            },
            "Model": {
                "Endpoints": self._endpoints,
                "LastBatchTransformJob": self._last_transform,
                "MonitoringSchedules": self._schedules_of_model,
                "ModelCard": self._card,
            },
        }

    def __getitem__(self, noun: str) -> Resource:
        """The noun; of one that nobody declared there are no resources."""
        if noun not in self._made:
            self._made[noun] = self._extended(self._declared.get(noun) or Resource(SAGEMAKER, noun))
        return self._made[noun]

    def _extended(self, declared: Resource) -> Resource:
        if not (members := self._members.get(declared.noun)):
            return declared
        # Made anew it would become the parent of its versions.
        extended = copy(declared)
        object.__setattr__(extended, "computed", {**members, **declared.computed})
        return extended

    # Trials and their components

    def _components(self, context: Context, transaction: Transaction, trial: Record) -> _Rows:
        shape = self._record["Trial"].members["TrialComponentSummaries"].member
        edges = transaction.associations(context.account, context.region, destination=trial.arn)
        found = (transaction.by_arn(edge.source) for edge in edges if edge.type == MEMBER)
        components = [component for component in found if component is not None]
        return [view(self["TrialComponent"], shape, context, transaction, each) for each in components] or None

    def _source(self, context: Context, transaction: Transaction, component: Record) -> dict[str, Any] | None:
        arn = component.document.get("Source", {}).get("SourceArn")
        if arn is None:
            return None
        job = transaction.by_arn(arn)
        if job is None or job.key.account != context.account or (noun := job.key.kind) not in _SOURCES:
            return {"SourceArn": arn}
        shape = self._record["TrialComponent"].members["SourceDetail"].members[noun]
        return {"SourceArn": arn, noun: view(self[noun], shape, context, transaction, job)}

    # Models, and what serves, watches and describes them

    def _endpoints(self, context: Context, transaction: Transaction, model: Record) -> _Rows:
        shape = self._record["Model"].members["Endpoints"].member
        serving = self._belonging("Endpoint", _models_served, context, transaction, model.name)
        return [view(self["Endpoint"], shape, context, transaction, endpoint) for endpoint in serving] or None

    def _schedules_of_model(self, context: Context, transaction: Transaction, model: Record) -> _Rows:
        serving = self._belonging("Endpoint", _models_served, context, transaction, model.name)
        return self._schedules("Model", context, transaction, serving)

    def _schedules_of_endpoint(self, context: Context, transaction: Transaction, endpoint: Record) -> _Rows:
        return self._schedules("Endpoint", context, transaction, [endpoint])

    def _schedules(self, owner: str, context: Context, transaction: Transaction, endpoints: Iterable[Record]) -> _Rows:
        noun, shape = self["MonitoringSchedule"], self._record[owner].members["MonitoringSchedules"].member

        def watched(context: Context, transaction: Transaction, schedule: Record) -> list[str]:
            return [view(noun, shape, context, transaction, schedule).get("EndpointName", "")]

        found = (self._belonging(noun.noun, watched, context, transaction, each.name) for each in endpoints)
        return [view(noun, shape, context, transaction, each) for schedules in found for each in schedules] or None

    def _last_transform(self, context: Context, transaction: Transaction, model: Record) -> dict[str, Any] | None:
        noun, shape = self["TransformJob"], self._record["Model"].members["LastBatchTransformJob"]
        jobs = replace(noun.query(context).where("ModelName", model.name), descending=True, limit=1)
        return next((view(noun, shape, context, transaction, job) for job in transaction.find(jobs)), None)

    def _card(self, context: Context, transaction: Transaction, model: Record) -> dict[str, Any] | None:
        noun, shape = self["ModelCard"], self._record["Model"].members["ModelCard"]

        def described(context: Context, transaction: Transaction, card: Record) -> list[str]:
            return [noun.computed["ModelId"](context, transaction, card) or ""]

        cards = self._belonging(noun.noun, described, context, transaction, model.arn)
        return next((view(noun, shape, context, transaction, card) for card in cards), None)

    def _belonging(
        self, noun: str, names: _Names, context: Context, transaction: Transaction, owner: str
    ) -> list[Record]:
        """The resources of ``noun`` that belong to ``owner``, the newest first; ``names`` tells whom one belongs to."""
        gathered = self._gathered.setdefault(transaction, {})
        if noun not in gathered:
            groups: dict[str, list[Record]] = defaultdict(list)
            for record in transaction.find(replace(self[noun].query(context), descending=True)):
                for name in names(context, transaction, record):
                    groups[name].append(record)
            gathered[noun] = groups
        return gathered[noun].get(owner, [])


def _parents(context: Context, transaction: Transaction, component: Record) -> _Rows:
    edges = transaction.associations(context.account, context.region, source=component.arn)
    trials = (transaction.by_arn(edge.destination) for edge in edges if edge.type == MEMBER)
    return [
        {"TrialName": trial.document.get("TrialName", trial.name), "ExperimentName": trial.document["ExperimentName"]}
        for trial in trials
        if trial is not None
    ] or None


def _run_name(context: Context, transaction: Transaction, component: Record) -> str | None:
    """The name of the run that a component is: the SDK calls it by the experiment, a hyphen and the run."""
    key, value = _RUN
    if transaction.tags(component.arn).get(key) != value:
        return None
    name: str = component.document.get("TrialComponentName", component.name)
    for parent in _parents(context, transaction, component) or ():
        prefix = f"{parent['ExperimentName']}-"
        if name.lower().startswith(prefix.lower()):
            return name[len(prefix) :]
    return name


def _models_served(context: Context, transaction: Transaction, endpoint: Record) -> list[str]:
    """The models of the endpoint's configuration."""
    key = endpoint.key._replace(kind="EndpointConfig", name=endpoint.document.get("EndpointConfigName", ""))
    config = transaction.get(key)
    variants = config.document["ProductionVariants"] if config is not None else ()
    return list(dict.fromkeys(variant["ModelName"] for variant in variants if "ModelName" in variant))


def _in_content(*paths: str) -> Seen:
    """What a model card says at the first of ``paths`` at which it says something.

    Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards.html
    """

    def look(_: Context, __: Transaction, card: Record) -> str | None:
        try:
            content = orjson.loads(card.document.get("Content", "{}"))
        except orjson.JSONDecodeError:
            return None
        for path in paths:
            found = content
            for part in path.split("."):
                found = found.get(part) if isinstance(found, dict) else None
            if isinstance(found, str):
                return found
        return None

    return look
