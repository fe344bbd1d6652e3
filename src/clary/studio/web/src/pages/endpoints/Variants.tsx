import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import type { ReactNode } from "react";

import { Copy } from "../../kit/Copy";
import { shortImage } from "../../kit/names";
import { Status } from "../../kit/Status";
import { below, To } from "../../kit/To";
import { type EndpointConfig, type Serverless, shares, type VariantSummary } from "./endpoint";

interface Props {
  title?: string;
  summaries: VariantSummary[];
  config: EndpointConfig | null;
  loading: boolean;
  /** What their shares of the traffic are called. */
  share?: string;
  /** What can be done with them. */
  actions?: ReactNode;
}

interface Shown {
  name: string;
  model: string;
  place: string;
  weight: string;
  image: string;
  states: { Status: string; StatusMessage?: string }[];
}

/** What answers the requests of an endpoint: models on instances, with their shares of the traffic. */
export function Variants({ title = "Production variants", summaries, config, loading, share: shareTitle = "Share", actions }: Props) {
  const configured = new Map((config?.ProductionVariants ?? []).map((each) => [each.VariantName, each]));
  const running = new Map(summaries.map((each) => [each.VariantName, each]));
  const names = [...new Set([...running.keys(), ...configured.keys()])];
  const weight = (name: string) => running.get(name)?.CurrentWeight ?? configured.get(name)?.InitialVariantWeight ?? 1;
  const share = shares(names.map((name) => ({ VariantName: name, weight: weight(name) })));
  const rows: Shown[] = names.map((name) => {
    const [runs, asked] = [running.get(name), configured.get(name)];
    const serverless = runs?.CurrentServerlessConfig ?? asked?.ServerlessConfig;
    return {
      name,
      model: asked?.ModelName ?? "",
      place: serverless
        ? memory(serverless)
        : instances(runs?.CurrentInstanceCount, runs?.DesiredInstanceCount ?? asked?.InitialInstanceCount, asked?.InstanceType),
      weight: changing(weight(name), runs?.DesiredWeight),
      image: runs?.DeployedImages?.[0]?.SpecifiedImage ?? "",
      states: runs?.VariantStatus ?? [],
    };
  });
  return (
    <Table
      header={
        <Header counter={`(${rows.length})`} {...(actions ? { actions } : {})}>
          {title}
        </Header>
      }
      items={rows}
      loading={loading && rows.length === 0}
      loadingText="Loading"
      wrapLines
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
        { id: "place", header: "Runs on", minWidth: 170, cell: (row) => row.place },
        { id: "weight", header: "Weight", cell: (row) => row.weight },
        { id: "share", header: shareTitle, cell: (row) => share[row.name] },
        ...(rows.some((row) => row.image)
          ? [{ id: "image", header: "Image", minWidth: 220, cell: (row: Shown) => <Copy text={row.image} shown={shortImage(row.image)} /> }]
          : []),
      ]}
      empty={<Box textAlign="center">There are no variants</Box>}
      ariaLabels={{ tableLabel: title }}
    />
  );
}

/** `1 of 2 × ml.m5.large` while one of two serves. */
function instances(now: number | undefined, wanted: number | undefined, type: string | undefined): string {
  const count = now !== undefined && now !== wanted ? `${now} of ${wanted ?? "-"}` : String(wanted ?? "-");
  return type ? `${count} × ${type}` : count;
}

function memory({ MemorySizeInMB: size, MaxConcurrency: most }: Serverless): string {
  return `Serverless, ${size ?? "-"} MB, ${most ?? "-"} ${most === 1 ? "request" : "requests"} at once`;
}

function changing(now: number, wanted: number | undefined): string {
  return wanted === undefined || wanted === now ? String(now) : `${now}, soon ${wanted}`;
}
