import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useEffect, useState } from "react";

import { call, type Members } from "../../api/client";
import { type Noun, nouns } from "../../api/model";
import { Failure } from "../../kit/Failure";
import { resourcePath } from "../../kit/paths";
import { words } from "../../kit/Status";
import { To } from "../../kit/To";
import { below } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";

interface Edge {
  SourceArn: string;
  DestinationArn: string;
  AssociationType?: string;
  SourceName?: string;
  DestinationName?: string;
}

/** What a resource has to do with others: the edges of the lineage, and the resources that its members name. */
export function Related({ arn, record }: { arn: string; record: Members }) {
  const [known, setKnown] = useState<Noun[]>([]);
  useEffect(() => {
    void nouns().then((services) => setKnown(services.find((each) => each.service === "sagemaker")?.nouns ?? []));
  }, []);
  const edges = usePolling(
    async (signal) => {
      const [down, up] = await Promise.all([
        call<{ AssociationSummaries: Edge[] }>("sagemaker", "ListAssociations", { SourceArn: arn }, signal),
        call<{ AssociationSummaries: Edge[] }>("sagemaker", "ListAssociations", { DestinationArn: arn }, signal),
      ]);
      return [
        ...up.AssociationSummaries.map((edge) => ({ direction: "From", other: edge.SourceArn, name: edge.SourceName, type: edge.AssociationType })),
        ...down.AssociationSummaries.map((edge) => ({ direction: "To", other: edge.DestinationArn, name: edge.DestinationName, type: edge.AssociationType })),
      ];
    },
    [arn],
  );
  const named = mentions(record, known, arn);
  return (
    <SpaceBetween size="l">
      <Table
        header={<Header counter={`(${named.length})`}>Named by this resource</Header>}
        items={named}
        columnDefinitions={[
          { id: "member", header: "Member", cell: (row) => words(row.member), isRowHeader: true },
          { id: "type", header: "Type", cell: (row) => row.noun.title },
          { id: "name", header: "Name", cell: (row) => <To path={row.path}>{row.name}</To> },
        ]}
        empty={<Box textAlign="center">It names no other resource</Box>}
        ariaLabels={{ tableLabel: "Named by this resource" }}
      />
      {edges.error ? (
        <Failure what="The lineage cannot be shown" error={edges.error} again={edges.again} />
      ) : (
        <Table
          header={<Header counter={edges.value ? `(${edges.value.length})` : ""}>Lineage</Header>}
          items={edges.value ?? []}
          loading={!edges.value}
          loadingText="Loading"
          columnDefinitions={[
            { id: "direction", header: "Direction", cell: (row) => row.direction },
            { id: "type", header: "Association", cell: (row) => words(row.type ?? "") },
            {
              id: "other",
              header: "Resource",
              isRowHeader: true,
              cell: (row) => {
                const path = pathOf(row.other, known);
                const text = row.name ?? row.other.split("/").pop();
                return path ? <To path={path}>{text}</To> : text;
              },
            },
          ]}
          empty={<Box textAlign="center">No associations</Box>}
          ariaLabels={{ tableLabel: "Lineage" }}
        />
      )}
    </SpaceBetween>
  );
}

interface Mention {
  member: string;
  noun: Noun;
  name: string;
  path: string;
}

/** The resources that members of a record name, however deep they stand. */
function mentions(record: Members, known: Noun[], own: string): Mention[] {
  const byMember = new Map<string, Noun>();
  for (const noun of known) {
    const member = noun.names.at(-1) ?? "";
    if (noun.names.length === 1 && noun.verbs.describe && member.startsWith(noun.noun)) byMember.set(member, noun);
  }
  const found = new Map<string, Mention>();
  function look(value: unknown, member: string) {
    if (Array.isArray(value)) value.forEach((item) => look(item, member));
    else if (value && typeof value === "object") Object.entries(value).forEach(([name, inner]) => look(inner, name));
    else if (typeof value === "string" && value && value !== own) {
      const noun = byMember.get(member);
      if (noun && record[noun.arn] !== own) {
        const path = resourcePath("sagemaker", noun, { [member]: value });
        found.set(path, { member, noun, name: value, path });
      }
    }
  }
  look(record, "");
  return [...found.values()];
}

/** The page of the resource with this ARN, where its noun can be told. */
function pathOf(arn: string, known: Noun[]): string | null {
  const type = arn.split(":")[5]?.split("/")[0] ?? "";
  const version = /:model-package\/([^/]+)\/(\d+)$/.exec(arn);
  if (version) return below("model-registry", version[1] ?? "", version[2] ?? "");
  const noun = known.find((each) => each.names.length === 1 && kebab(each.noun) === type);
  return noun ? resourcePath("sagemaker", noun, { [noun.arn]: arn, [noun.names[0] ?? ""]: noun.names[0] === noun.arn ? arn : arn.split("/").pop() }) : null;
}

function kebab(noun: string): string {
  return noun.replace(/([a-z0-9])([A-Z])/g, "$1-$2").toLowerCase();
}
