import Box from "@cloudscape-design/components/box";
import Input from "@cloudscape-design/components/input";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";

import { call, type Members } from "../../api/client";
import { Dialog } from "../../kit/Dialog";
import { shares, type VariantSummary } from "./endpoint";

interface Props {
  endpoint: string;
  variants: VariantSummary[];
  onDismiss: () => void;
  onDone: () => void;
}

interface Wanted {
  name: string;
  weight: string;
  /** Instances; of a serverless variant the requests at once. */
  count: string;
  serverless: boolean;
}

/** Changes the weights of variants and how many instances they have, while the endpoint answers. */
export function Capacity({ endpoint, variants, onDismiss, onDone }: Props) {
  const [before] = useState(() => variants.map(wanted));
  const [rows, setRows] = useState(before);
  const share = shares(rows.map((row) => ({ VariantName: row.name, weight: isWeight(row.weight) ? Number(row.weight) : 0 })));
  const changes = rows.flatMap((row, index) => changesOf(before[index], row));
  const change = (name: string, part: Partial<Wanted>) => setRows((all) => all.map((row) => (row.name === name ? { ...row, ...part } : row)));
  const allServerless = rows.every((row) => row.serverless);

  return (
    <Dialog
      title={`Weights and instances of ${endpoint}`}
      verb="Change"
      ready={changes.length > 0 && rows.every((row) => isWeight(row.weight) && isCount(row.count))}
      onDismiss={onDismiss}
      onConfirm={async () => {
        await call("sagemaker", "UpdateEndpointWeightsAndCapacities", { EndpointName: endpoint, DesiredWeightsAndCapacities: changes });
        onDone();
      }}
    >
      <Box>Requests go by the new weights at once; new instances get some when they are healthy, and those that go finish what they have.</Box>
      <Table
        variant="embedded"
        items={rows}
        trackBy="name"
        columnDefinitions={[
          { id: "name", header: "Variant", isRowHeader: true, cell: (row) => row.name },
          {
            id: "weight",
            header: "Weight",
            minWidth: 110,
            cell: (row) => (
              <Input value={row.weight} onChange={({ detail }) => change(row.name, { weight: detail.value })} invalid={!isWeight(row.weight)} inputMode="decimal" ariaLabel={`Weight of ${row.name}`} />
            ),
          },
          { id: "share", header: "Share", minWidth: 80, cell: (row) => share[row.name] },
          {
            id: "count",
            header: allServerless ? "Requests at once" : "Instances",
            minWidth: 110,
            cell: (row) => (
              <Input
                value={row.count}
                onChange={({ detail }) => change(row.name, { count: detail.value })}
                invalid={!isCount(row.count)}
                inputMode="numeric"
                ariaLabel={`${row.serverless ? "Requests at once" : "Instances"} of ${row.name}`}
              />
            ),
          },
        ]}
        ariaLabels={{ tableLabel: "Weights and instances" }}
      />
    </Dialog>
  );
}

function wanted(variant: VariantSummary): Wanted {
  const serverless = variant.CurrentServerlessConfig;
  return {
    name: variant.VariantName,
    weight: String(variant.DesiredWeight ?? variant.CurrentWeight ?? 1),
    count: String(serverless ? (serverless.MaxConcurrency ?? 1) : (variant.DesiredInstanceCount ?? 1)),
    serverless: serverless !== undefined,
  };
}

/** What of a variant is asked for anew; nothing where all stays as it is. */
function changesOf(before: Wanted | undefined, row: Wanted): Members[] {
  const weight = Number(row.weight) === Number(before?.weight) ? {} : { DesiredWeight: Number(row.weight) };
  const count = Number(row.count);
  const capacity = count === Number(before?.count) ? {} : row.serverless ? { ServerlessUpdateConfig: { MaxConcurrency: count } } : { DesiredInstanceCount: count };
  const members = { ...weight, ...capacity };
  return Object.keys(members).length ? [{ VariantName: row.name, ...members }] : [];
}

function isWeight(text: string): boolean {
  return text.trim() !== "" && Number(text) >= 0 && Number.isFinite(Number(text));
}

function isCount(text: string): boolean {
  return Number.isInteger(Number(text)) && Number(text) >= 1;
}
