import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";

import { Confirm } from "../../kit/Confirm";
import { Failure } from "../../kit/Failure";
import { Status } from "../../kit/Status";
import { Time } from "../../kit/Time";
import { usePolling } from "../../kit/usePolling";
import type { VariantSummary } from "./endpoint";
import { type Activity, type Alarm, type Policy, release, scalingOf, type Target, told, tracking, variantOf } from "./scaling";
import { ScalingForm } from "./ScalingForm";

const MILLISECONDS = 5000;

interface Row {
  name: string;
  variant: VariantSummary;
  target: Target | undefined;
  policies: Policy[];
}

/** How the variants of an endpoint follow their load: bounds, policies, what was done lately, and the alarms that watch. */
export function Scaling({ endpoint, variants }: { endpoint: string; variants: VariantSummary[] }) {
  const [asked, setAsked] = useState<{ what: "scale" | "release"; row: Row }>();
  const scaled = variants.filter((each) => !each.CurrentServerlessConfig);
  const names = scaled.map((each) => each.VariantName);
  const found = usePolling((signal) => scalingOf(endpoint, names, signal), [endpoint, names], MILLISECONDS);
  if (found.error && !found.value) return <Failure what="The scaling cannot be shown" error={found.error} again={found.again} />;
  const { targets = [], policies = [], activities = [], alarms = [] } = found.value ?? {};
  const rows: Row[] = scaled.map((variant) => {
    const name = variant.VariantName;
    return { name, variant, target: targets.find((each) => variantOf(each.ResourceId) === name), policies: policies.filter((each) => variantOf(each.ResourceId) === name) };
  });
  const waits = { loading: !found.value, loadingText: "Loading", wrapLines: true };
  return (
    <SpaceBetween size="l">
      <Table
        {...waits}
        header={<Header counter={`(${rows.length})`}>Scaled variants</Header>}
        items={rows}
        trackBy="name"
        columnDefinitions={[
          { id: "name", header: "Variant", isRowHeader: true, cell: (row) => row.name },
          { id: "now", header: "Instances", cell: (row) => row.variant.DesiredInstanceCount ?? "-" },
          { id: "bounds", header: "Bounds", minWidth: 120, cell: (row) => (row.target ? `${row.target.MinCapacity} to ${row.target.MaxCapacity}` : "Not scaled") },
          { id: "policies", header: "Policies", minWidth: 220, cell: (row) => (row.policies.length ? row.policies.map((each) => <div key={each.PolicyName}>{told(each)}</div>) : "-") },
          {
            id: "do",
            header: "Actions",
            minWidth: 210,
            cell: (row) => (
              <SpaceBetween direction="horizontal" size="xs">
                <Button variant="inline-link" ariaLabel={`${row.target ? "Change" : "Scale"} ${row.name}`} onClick={() => setAsked({ what: "scale", row })}>
                  {row.target ? "Change" : "Scale"}
                </Button>
                {row.target && (
                  <Button variant="inline-link" ariaLabel={`Scale ${row.name} no more`} onClick={() => setAsked({ what: "release", row })}>
                    No more
                  </Button>
                )}
              </SpaceBetween>
            ),
          },
        ]}
        empty={<Box textAlign="center">{variants.length ? "Serverless variants scale by themselves" : "There are no variants yet"}</Box>}
        ariaLabels={{ tableLabel: "Scaled variants" }}
      />
      <Table<Activity>
        {...waits}
        header={<Header counter={`(${activities.length})`}>Recent activities</Header>}
        items={activities}
        trackBy="ActivityId"
        columnDefinitions={[
          { id: "what", header: "What", isRowHeader: true, minWidth: 220, cell: (row) => row.Description ?? "-" },
          { id: "status", header: "Status", minWidth: 130, cell: (row) => <Status value={row.StatusCode} /> },
          { id: "variant", header: "Variant", cell: (row) => variantOf(row.ResourceId) },
          { id: "began", header: "Began", minWidth: 120, cell: (row) => <Time at={row.StartTime} /> },
          { id: "why", header: "Why", minWidth: 260, cell: (row) => row.Cause ?? row.StatusMessage ?? "-" },
        ]}
        empty={<Box textAlign="center">Nothing was scaled in the last six weeks</Box>}
        ariaLabels={{ tableLabel: "Recent activities" }}
      />
      <Table<Alarm>
        {...waits}
        header={<Header counter={`(${alarms.length})`}>Alarms</Header>}
        items={alarms}
        trackBy="AlarmName"
        columnDefinitions={[
          { id: "name", header: "Alarm", isRowHeader: true, minWidth: 260, cell: (row) => <span className="clary-mono">{row.AlarmName}</span> },
          { id: "state", header: "State", minWidth: 180, cell: (row) => <Status value={row.StateValue} /> },
          { id: "metric", header: "Metric", minWidth: 160, cell: (row) => row.MetricName ?? "-" },
          { id: "since", header: "Since", minWidth: 120, cell: (row) => <Time at={row.StateUpdatedTimestamp} /> },
          { id: "why", header: "Why", minWidth: 240, cell: (row) => row.StateReason ?? "-" },
        ]}
        empty={<Box textAlign="center">No alarm watches this endpoint</Box>}
        ariaLabels={{ tableLabel: "Alarms" }}
      />
      {asked?.what === "scale" && <ScalingForm endpoint={endpoint} variant={asked.row.name} target={asked.row.target} policy={tracking(asked.row.policies)} onDismiss={() => setAsked(undefined)} onDone={found.again} />}
      {asked?.what === "release" && (
        <Confirm
          verb="Stop"
          title="Scale this variant no more?"
          names={[asked.row.name]}
          onDismiss={() => setAsked(undefined)}
          onConfirm={async () => {
            await release(endpoint, asked.row.name);
            found.again();
          }}
        >
          It keeps the instances that it has. Its policies and their alarms go.
        </Confirm>
      )}
    </SpaceBetween>
  );
}
