import Button from "@cloudscape-design/components/button";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { shortImage } from "../../kit/names";
import { ResourceTable } from "../../kit/ResourceTable";
import { S3Link } from "../../kit/S3Link";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { useDescribed } from "../../kit/useDescribed";
import { deployPath } from "./deployment";
import { artifactsOf, containersOf, describeModel } from "./model";

const FILTERS = [{ member: "CreationTimeAfter" }, { member: "CreationTimeBefore" }];
const SORTS = { name: "Name", created: "CreationTime" };

/** All models. */
export default function Models() {
  useTrail({ text: "Models" });
  const navigate = useNavigate();
  const described = useDescribed(
    (row) => String(row["ModelArn"]) + String(row["CreationTime"]),
    (row, signal) => describeModel(String(row["ModelName"]), signal),
  );
  return (
    <ResourceTable
      service="sagemaker"
      operation="ListModels"
      rows="Models"
      title="Models"
      description="An image with what it has learned, ready to be deployed"
      columns={[
        {
          id: "name",
          header: "Name",
          isRowHeader: true,
          width: 280,
          cell: (row) => <To path={below("models", String(row["ModelName"]))}>{String(row["ModelName"])}</To>,
        },
        {
          id: "image",
          header: "Image",
          width: 280,
          minWidth: 140,
          cell: (row) => {
            const found = described.of(row);
            if (found === undefined) return "…";
            return (found && containersOf(found).map((each) => shortImage(each.Image)).join(", ")) || "-";
          },
        },
        {
          id: "artifacts",
          header: "Artifacts",
          width: 380,
          minWidth: 160,
          cell: (row) => {
            const found = described.of(row);
            return found === undefined ? "…" : <S3Link uri={found ? artifactsOf(containersOf(found)[0]) : ""} />;
          },
        },
        { id: "created", header: "Created", minWidth: 120, cell: (row) => <Time at={row["CreationTime"]} /> },
      ]}
      filters={FILTERS}
      sorts={SORTS}
      selection="multi"
      bulk={[
        {
          verb: "Delete",
          nouns: ["model", "models"],
          name: (row) => String(row["ModelName"]),
          act: (row) => call("sagemaker", "DeleteModel", { ModelName: row["ModelName"] }),
          note: "Artifacts in S3 are kept. Endpoints that serve a model go on, but cannot start new servers of it.",
        },
      ]}
      onRows={described.show}
      actions={(selected) => (
        <>
          <Button disabled={selected.length !== 1} onClick={() => navigate(deployPath({ model: String(selected[0]?.["ModelName"]) }))}>
            Deploy
          </Button>
          <Button variant="primary" onClick={() => navigate("/explorer/sagemaker/Model/create")}>
            Create model
          </Button>
        </>
      )}
    />
  );
}
