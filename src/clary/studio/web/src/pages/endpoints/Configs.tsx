import Button from "@cloudscape-design/components/button";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { ResourceTable } from "../../kit/ResourceTable";
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
  const described = useDescribed(
    (row) => String(row["EndpointConfigArn"]) + String(row["CreationTime"]),
    (row, signal) => describeConfig(String(row["EndpointConfigName"]), signal),
  );
  return (
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
            return found?.ProductionVariants.map((each) => each.ServerlessConfig ? "Serverless" : `${each.InitialInstanceCount ?? 1} × ${each.InstanceType ?? "-"}`).join(", ") || "-";
          },
        },
        { id: "created", header: "Created", cell: (row) => <Time at={row["CreationTime"]} /> },
      ]}
      filters={FILTERS}
      sorts={SORTS}
      selection="multi"
      bulk={[
        {
          verb: "Delete",
          nouns: ["configuration", "configurations"],
          name: (row) => String(row["EndpointConfigName"]),
          act: (row) => call("sagemaker", "DeleteEndpointConfig", { EndpointConfigName: row["EndpointConfigName"] }),
          note: "Endpoints that serve them go on, but cannot be created again from them.",
        },
      ]}
      onRows={described.show}
      actions={() => (
        <Button variant="primary" onClick={() => navigate("/explorer/sagemaker/EndpointConfig/create")}>
          Create configuration
        </Button>
      )}
    />
  );
}
