import Button from "@cloudscape-design/components/button";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { ResourceTable, type Row } from "../../kit/ResourceTable";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { useDescribed } from "../../kit/useDescribed";
import { describeConfig } from "./endpoint";

const FILTERS = [{ member: "CreationTimeAfter" }, { member: "CreationTimeBefore" }];
const SORTS = { name: "Name", created: "CreationTime" };

/** All endpoint configurations. */
export default function Configs() {
  useTrail({ text: "Endpoint configurations" });
  const navigate = useNavigate();
  const notices = useNotices();
  const [asked, setAsked] = useState<{ rows: Row[]; again: () => void }>();
  const described = useDescribed(
    (row) => String(row["EndpointConfigArn"]) + String(row["CreationTime"]),
    (row, signal) => describeConfig(String(row["EndpointConfigName"]), signal),
  );
  return (
    <>
      <ResourceTable
        service="sagemaker"
        operation="ListEndpointConfigs"
        rows="EndpointConfigs"
        title="Endpoint configurations"
        description="Which models an endpoint serves, and on what"
        columns={[
          {
            id: "name",
            header: "Name",
            isRowHeader: true,
            minWidth: 200,
            cell: (row) => <To path={below("endpoint-configs", String(row["EndpointConfigName"]))}>{String(row["EndpointConfigName"])}</To>,
          },
          {
            id: "models",
            header: "Models",
            minWidth: 200,
            cell: (row) => {
              const found = described.of(row);
              if (found === undefined) return "…";
              return [...new Set(found?.ProductionVariants.flatMap((each) => each.ModelName ?? []))].join(", ") || "-";
            },
          },
          {
            id: "instances",
            header: "Instances",
            minWidth: 150,
            cell: (row) => {
              const found = described.of(row);
              if (found === undefined) return "…";
              return found?.ProductionVariants.map((each) => `${each.InitialInstanceCount ?? 1} × ${each.InstanceType ?? "-"}`).join(", ") || "-";
            },
          },
          { id: "created", header: "Created", cell: (row) => <Time at={row["CreationTime"]} /> },
        ]}
        filters={FILTERS}
        sorts={SORTS}
        selection="multi"
        onRows={described.show}
        actions={(selected, again) => (
          <>
            <Button disabled={selected.length === 0} onClick={() => setAsked({ rows: selected, again })}>
              Delete
            </Button>
            <Button variant="primary" onClick={() => navigate("/explorer/sagemaker/EndpointConfig/create")}>
              Create configuration
            </Button>
          </>
        )}
      />
      {asked && (
        <Confirm
          verb="Delete"
          title={asked.rows.length === 1 ? "Delete this configuration?" : `Delete ${asked.rows.length} configurations?`}
          names={asked.rows.map((row) => String(row["EndpointConfigName"]))}
          onDismiss={() => setAsked(undefined)}
          onConfirm={async () => {
            for (const row of asked.rows) await call("sagemaker", "DeleteEndpointConfig", { EndpointConfigName: row["EndpointConfigName"] });
            notices.succeeded("Deleted");
            asked.again();
          }}
        >
          Endpoints that serve them go on, but cannot be created again from them.
        </Confirm>
      )}
    </>
  );
}
