"""``QueryLineage``: directions, depth, filters, the ways to what is found, and pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server


class Graph:
    """Entities by letter. The arrows are associations::

        a -> b -> c -> d -> a      e -> b      c -> f

    ``a`` and ``e`` are data sets, ``b`` is a trial component, ``c`` a model, ``d`` an action, ``f`` a context.
    """

    def __init__(self, server: Server) -> None:
        self.client = sagemaker = server.client("sagemaker")
        arns = {}
        for letter, type_ in (("a", "DataSet"), ("e", "DataSet"), ("c", "Model")):
            made = sagemaker.create_artifact(
                Source={"SourceUri": f"s3://b/{letter}"}, ArtifactType=type_, Properties={"letter": letter, "of": "us"}
            )
            arns[letter] = made["ArtifactArn"]
        arns["b"] = sagemaker.create_trial_component(TrialComponentName="b")["TrialComponentArn"]
        source = {"SourceUri": "arn:something"}
        made = sagemaker.create_action(ActionName="d", ActionType="Approval", Source=source)
        arns["d"] = made["ActionArn"]
        made = sagemaker.create_context(ContextName="f", ContextType="Endpoint", Source=source)
        arns["f"] = made["ContextArn"]
        self.arns = arns
        self.letters = {arn: letter for letter, arn in arns.items()}
        for source, destination in ("ab", "bc", "cd", "da", "eb", "cf"):
            sagemaker.add_association(
                SourceArn=arns[source], DestinationArn=arns[destination], AssociationType="ContributedTo"
            )

    def ask(self, start: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.query_lineage(StartArns=[self.arns[start]], **arguments)
        return answer

    def reached(self, start: str, **arguments: Any) -> str:
        """The letters of the vertices in their order."""
        return "".join(self.letters[vertex["Arn"]] for vertex in self.ask(start, **arguments)["Vertices"])

    def edges(self, answer: dict[str, Any]) -> set[str]:
        return {self.letters[edge["SourceArn"]] + self.letters[edge["DestinationArn"]] for edge in answer["Edges"]}


@pytest.fixture
def graph(clary_aws: Server) -> Graph:
    return Graph(clary_aws)


def test_the_nearest_come_first_and_each_once(graph: Graph) -> None:
    assert graph.reached("a", Direction="Descendants") == "abcdf"
    assert graph.reached("a", Direction="Ascendants") == "adcbe"
    assert set(graph.reached("f", Direction="Both")) == set("abcdef")
    assert graph.reached("f") == graph.reached("f", Direction="Both")
    assert graph.reached("f", Direction="Descendants") == "f"


def test_depth_is_counted_in_associations(graph: Graph) -> None:
    found = [graph.reached("e", Direction="Descendants", MaxDepth=depth) for depth in range(5)]
    assert found == ["e", "eb", "ebc", "ebcdf", "ebcdfa"]
    with pytest.raises(ClientError, match="MaxDepth"):
        graph.ask("e", MaxDepth=-1)
    with pytest.raises(ClientError, match="less than or equal to 10"):
        graph.ask("e", MaxDepth=11)


def test_vertices_say_what_they_are(graph: Graph) -> None:
    found = {graph.letters[vertex.pop("Arn")]: vertex for vertex in graph.ask("a")["Vertices"]}
    assert found == {
        "a": {"Type": "DataSet", "LineageType": "Artifact"},
        "b": {"LineageType": "TrialComponent"},
        "c": {"Type": "Model", "LineageType": "Artifact"},
        "d": {"Type": "Approval", "LineageType": "Action"},
        "e": {"Type": "DataSet", "LineageType": "Artifact"},
        "f": {"Type": "Endpoint", "LineageType": "Context"},
    }


def test_edges_come_if_they_are_wanted(graph: Graph) -> None:
    assert graph.ask("a")["Edges"] == []
    answer = graph.ask("a", IncludeEdges=True, Direction="Descendants")
    assert graph.edges(answer) == {"ab", "bc", "cd", "da", "cf"}
    assert {edge["AssociationType"] for edge in answer["Edges"]} == {"ContributedTo"}
    assert graph.edges(graph.ask("e", IncludeEdges=True, Direction="Descendants", MaxDepth=1)) == {"eb"}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"LineageTypes": ["Artifact"]}, "ace"),
        ({"LineageTypes": ["Context", "Action"]}, "df"),
        ({"LineageTypes": ["TrialComponent"]}, "b"),
        ({"Types": ["DataSet"]}, "ae"),
        ({"Types": ["Model", "Endpoint"]}, "cf"),
        ({"Types": ["Model"], "LineageTypes": ["Action"]}, ""),
        ({"Properties": {"letter": "c"}}, "c"),
        ({"Properties": {"letter": "x", "of": "us"}}, "ace"),
        ({"Properties": {"letter": "x"}}, ""),
    ],
)
def test_filters(graph: Graph, filters: dict[str, Any], found: str) -> None:
    assert "".join(sorted(graph.reached("a", Filters=filters))) == found


def test_filters_by_time(graph: Graph) -> None:
    hour, now = timedelta(hours=1), datetime.now(UTC)
    for name in ("Created", "Modified"):
        assert graph.reached("a", Filters={f"{name}After": now + hour}) == ""
        assert graph.reached("a", Filters={f"{name}Before": now - hour}) == ""
        assert len(graph.reached("a", Filters={f"{name}After": now - hour, f"{name}Before": now + hour})) == 6


def test_with_edges_the_ways_to_what_is_found_come_too(graph: Graph) -> None:
    wanted: dict[str, Any] = {"Direction": "Descendants", "Filters": {"LineageTypes": ["Context"]}}
    assert graph.reached("e", **wanted) == "f"
    answer = graph.ask("e", **wanted, IncludeEdges=True)
    assert [graph.letters[vertex["Arn"]] for vertex in answer["Vertices"]] == ["e", "b", "c", "f"]
    assert graph.edges(answer) == {"eb", "bc", "cf"}


def test_pages_give_every_vertex_and_every_edge_once(graph: Graph) -> None:
    wanted = {"Direction": "Both", "IncludeEdges": True, "MaxResults": 2}
    vertices, edges, token = [], [], {}
    while True:
        answer = graph.ask("c", **wanted, **token)
        assert len(answer["Vertices"]) == 2
        vertices += [graph.letters[vertex["Arn"]] for vertex in answer["Vertices"]]
        edges += sorted(graph.edges(answer))
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert "".join(vertices) == graph.reached("c", Direction="Both")
    assert sorted(edges) == ["ab", "bc", "cd", "cf", "da", "eb"]
    with pytest.raises(ClientError, match="token is invalid"):
        graph.ask("c", NextToken="x")
    with pytest.raises(ClientError, match="less than or equal to 50"):
        graph.ask("c", MaxResults=51)


def test_without_a_start_it_is_about_all(graph: Graph) -> None:
    answer = graph.client.query_lineage(Filters={"LineageTypes": ["Artifact", "Action"]}, IncludeEdges=True)
    assert {graph.letters[vertex["Arn"]] for vertex in answer["Vertices"]} == set("aecd")
    assert graph.edges(answer) == {"cd", "da"}
    with pytest.raises(ClientError, match="does not exist") as refused:
        graph.client.query_lineage(StartArns=[f"{graph.arns['a']}x"])
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


def test_experiments_can_take_part(graph: Graph) -> None:
    experiment = graph.client.create_experiment(ExperimentName="e")["ExperimentArn"]
    graph.client.add_association(SourceArn=graph.arns["f"], DestinationArn=experiment)
    found = graph.ask("f", Direction="Descendants")["Vertices"][1]
    assert found == {"Arn": experiment, "Type": "Experiment", "LineageType": "Context"}
