import Button from "@cloudscape-design/components/button";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { ResourceTable } from "../../kit/ResourceTable";
import { Status } from "../../kit/Status";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { useDescribed } from "../../kit/useDescribed";
import { describeEndpoint, type Endpoint, isMoving, STATUSES } from "./endpoint";

const FILTERS = [
  { member: "StatusEquals", options: STATUSES },
  { member: "CreationTimeAfter" },
  { member: "CreationTimeBefore" },
  { member: "LastModifiedTimeAfter" },
  { member: "LastModifiedTimeBefore" },
];
const SORTS = { name: "Name", created: "CreationTime", status: "Status" };

/** All endpoints. */
export default function Endpoints() {
  useTrail({ text: "Endpoints" });
  const navigate = useNavigate();
  const described = useDescribed(
    (row) => `${String(row["EndpointName"])} ${String(row["EndpointStatus"])} ${String(row["LastModifiedTime"])}`,
    (row, signal) => describeEndpoint(String(row["EndpointName"]), signal),
  );
  return (
    <ResourceTable
      service="sagemaker"
      operation="ListEndpoints"
      rows="Endpoints"
      title="Endpoints"
      description="Models that answer requests"
      columns={[
        {
          id: "name",
          header: "Name",
          isRowHeader: true,
          width: 260,
          cell: (row) => <To path={below("endpoints", String(row["EndpointName"]))}>{String(row["EndpointName"])}</To>,
        },
        { id: "status", header: "Status", width: 130, cell: (row) => <Status value={row["EndpointStatus"]} /> },
        { id: "variants", header: "Variants", width: 170, minWidth: 110, cell: (row) => variantsOf(described.of(row)) },
        { id: "config", header: "Configuration", width: 230, minWidth: 120, cell: (row) => <Config name={described.of(row)?.EndpointConfigName} /> },
        { id: "created", header: "Created", width: 140, cell: (row) => <Time at={row["CreationTime"]} /> },
        { id: "changed", header: "Changed", width: 140, cell: (row) => <Time at={row["LastModifiedTime"]} /> },
      ]}
      filters={FILTERS}
      sorts={SORTS}
      selection="multi"
      bulk={[
        {
          verb: "Delete",
          nouns: ["endpoint", "endpoints"],
          name: (row) => String(row["EndpointName"]),
          can: (row) => !isMoving(String(row["EndpointStatus"])),
          act: (row) => call("sagemaker", "DeleteEndpoint", { EndpointName: row["EndpointName"] }),
          done: "Deleting",
          note: "They answer no more requests. Their models and configurations are kept.",
        },
      ]}
      milliseconds={3000}
      onRows={described.show}
      actions={() => (
        <Button variant="primary" onClick={() => navigate("/endpoints/-/deploy")}>
          Deploy a model
        </Button>
      )}
    />
  );
}

function variantsOf(endpoint: Endpoint | null | undefined): string {
  if (endpoint === undefined) return "…";
  return (endpoint?.ProductionVariants ?? []).map((variant) => variant.VariantName).join(", ") || "-";
}

function Config({ name }: { name: string | undefined }) {
  return name ? <To path={below("endpoint-configs", name)}>{name}</To> : <>-</>;
}
