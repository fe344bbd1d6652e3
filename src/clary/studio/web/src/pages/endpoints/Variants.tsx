import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";

import { Copy } from "../../kit/Copy";
import { Status } from "../../kit/Status";
import { below, To } from "../../kit/To";
import { shortImage } from "../../kit/names";
import { type EndpointConfig, shares, type VariantSummary } from "./endpoint";

interface Shown {
  name: string;
  model: string;
  instance: string;
  count: string;
  weight: number;
  image: string;
  states: { Status: string; StatusMessage?: string }[];
}

/** What answers the requests of an endpoint: models on instances, with their shares of the traffic. */
export function Variants({ summaries, config, loading }: { summaries: VariantSummary[]; config: EndpointConfig | null; loading: boolean }) {
  const configured = new Map((config?.ProductionVariants ?? []).map((each) => [each.VariantName, each]));
  const running = new Map(summaries.map((each) => [each.VariantName, each]));
  const rows: Shown[] = [...new Set([...running.keys(), ...configured.keys()])].map((name) => {
    const runs = running.get(name);
    const asked = configured.get(name);
    const wanted = runs?.DesiredInstanceCount ?? asked?.InitialInstanceCount;
    const now = runs?.CurrentInstanceCount;
    return {
      name,
      model: asked?.ModelName ?? "",
      instance: asked?.InstanceType ?? "",
      count: now !== undefined && now !== wanted ? `${now} of ${wanted ?? "-"}` : String(wanted ?? "-"),
      weight: runs?.CurrentWeight ?? asked?.InitialVariantWeight ?? 1,
      image: runs?.DeployedImages?.[0]?.SpecifiedImage ?? "",
      states: runs?.VariantStatus ?? [],
    };
  });
  const share = shares(rows.map((row) => ({ VariantName: row.name, weight: row.weight })));
  return (
    <Table
      header={<Header counter={`(${rows.length})`}>Production variants</Header>}
      items={rows}
      loading={loading && rows.length === 0}
      loadingText="Loading"
      columnDefinitions={[
        {
          id: "name",
          header: "Variant",
          isRowHeader: true,
          cell: (row) => (
            <SpaceBetween size="xxs">
              <span>{row.name}</span>
              {row.states.map((state) => (
                <Status key={state.Status} value={state.Status} />
              ))}
            </SpaceBetween>
          ),
        },
        { id: "model", header: "Model", cell: (row) => (row.model ? <To path={below("models", row.model)}>{row.model}</To> : "-") },
        { id: "instances", header: "Instances", cell: (row) => (row.instance ? `${row.count} × ${row.instance}` : row.count) },
        { id: "weight", header: "Weight", cell: (row) => row.weight },
        { id: "share", header: "Share", cell: (row) => share[row.name] },
        ...(rows.some((row) => row.image)
          ? [{ id: "image", header: "Image", minWidth: 220, cell: (row: Shown) => <Copy text={row.image} shown={shortImage(row.image)} /> }]
          : []),
      ]}
      empty={<Box textAlign="center">There are no variants</Box>}
      ariaLabels={{ tableLabel: "Production variants" }}
    />
  );
}
