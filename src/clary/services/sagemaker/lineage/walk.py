"""``QueryLineage``: what can be reached from an entity along its associations, the nearest first.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_QueryLineage.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from clary.core.errors import ResourceNotFound, ValidationException
from clary.resources.context import Context
from clary.resources.paging import bounds, cut
from clary.services.sagemaker.lineage.edges import EDGES
from clary.services.sagemaker.lineage.entities import PROPERTIES, TYPES, vertex
from clary.state.graph import Entity, Graph

DEEPEST = 10
"""How many associations away a query goes unless it says otherwise."""
PAGE = 50
"""How many vertices a page has unless the query says otherwise."""
_AT_ONCE = 500
"""How many vertices are looked up together."""
_WAYS = {"Descendants": (True,), "Ascendants": (False,), "Both": (True, False)}


def query_lineage(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``QueryLineage``: a page of the vertices that satisfy the filters and, if wanted, of the ways to them.

    Without a start it is about all entities. The edges of a page are those that connect its vertices with each other
    and with those of the pages before.
    """
    depth = params.get("MaxDepth", DEEPEST)
    if depth < 0:
        raise ValidationException("MaxDepth must not be negative.")
    filters = params.get("Filters", {})
    with_ways = params.get("IncludeEdges", False)
    start, end = bounds(params, PAGE)
    with context.platform.database.read() as transaction:
        graph = transaction.lineage(context.account, context.region, EDGES)
        ways = _WAYS[params.get("Direction", "Both")]
        if params.get("StartArns"):
            found = _reached(graph, params["StartArns"], ways, depth, filters, with_ways=with_ways)
        else:
            properties = PROPERTIES if filters.get("Properties") else {}
            entities = graph.all_entities("sagemaker", TYPES, properties)
            found = (entity for entity in entities if _matches(entity, filters))
        vertices = list(islice(found, end + 1))
        page, following = cut(vertices, params, PAGE)
        edges: list[dict[str, Any]] = []
        if with_ways and page:
            arns = [entity.arn for entity in vertices[:end]]
            for edge in graph.between(arns[start:], arns):
                ends = {"SourceArn": edge.source, "DestinationArn": edge.destination}
                edges.append({**ends, "AssociationType": edge.type})
    answer: dict[str, Any] = {"Vertices": [vertex(entity) for entity in page], "Edges": edges}
    return answer | ({"NextToken": following} if following else {})


def _reached(
    graph: Graph,
    starts: Sequence[str],
    ways: Sequence[bool],
    depth: int,
    filters: Mapping[str, Any],
    *,
    with_ways: bool,
) -> Iterator[Entity]:
    """The entities that match, the nearest first, each once; with those on the way to it before it if wanted."""
    properties = PROPERTIES if filters.get("Properties") else {}
    before: dict[str, str | None] = dict.fromkeys(starts)
    known: dict[str, Entity] = {}
    given: set[str] = set()
    for arns in _walk(graph, before, ways, depth):
        found = graph.entities(arns, TYPES, properties)
        for arn in arns:
            if arn not in found:
                if before[arn] is None:
                    raise ResourceNotFound(f"The entity {arn} does not exist.")
                continue
            known[arn] = found[arn]
            if _matches(found[arn], filters):
                for step in _way_to(arn, before, given) if with_ways else (arn,):
                    if step in known:
                        given.add(step)
                        yield known[step]


def _walk(graph: Graph, before: dict[str, str | None], ways: Sequence[bool], depth: int) -> Iterator[list[str]]:
    """Lists of what can be reached, the nearest first; ``before`` gets the entity from which each was reached."""
    level = list(before)
    yield level
    for _ in range(depth):
        following: list[str] = []
        for arns in _lists(_next(graph, level, before, ways)):
            following += arns
            yield arns
        if not following:
            return
        level = following


def _next(graph: Graph, level: Sequence[str], before: dict[str, str | None], ways: Sequence[bool]) -> Iterator[str]:
    for forward in ways:
        for near, far in graph.neighbours(level, forward=forward):
            if far not in before:
                before[far] = near
                yield far


def _lists(arns: Iterator[str]) -> Iterator[list[str]]:
    while some := list(islice(arns, _AT_ONCE)):
        yield some


def _way_to(arn: str, before: Mapping[str, str | None], given: Iterable[str]) -> list[str]:
    """What lies on the shortest way from the start to ``arn``, as far as it was not given already."""
    way = []
    step: str | None = arn
    while step is not None and step not in given:
        way.append(step)
        step = before[step]
    return way[::-1]


def _matches(entity: Entity, filters: Mapping[str, Any]) -> bool:
    shown = vertex(entity)
    # A job's trial components are found by the type that associations show, too.
    if filters.get("Types") and not {shown.get("Type"), entity.type}.intersection(filters["Types"]):
        return False
    if filters.get("LineageTypes") and shown["LineageType"] not in filters["LineageTypes"]:
        return False
    for time, name in ((entity.created, "Created"), (entity.modified, "Modified")):
        after, until = filters.get(f"{name}After"), filters.get(f"{name}Before")
        if (after is not None and time < after.timestamp()) or (until is not None and time > until.timestamp()):
            return False
    wanted: Mapping[str, str] = filters.get("Properties") or {}
    has = entity.properties or {}
    return not wanted or any(has.get(key) == value for key, value in wanted.items())
