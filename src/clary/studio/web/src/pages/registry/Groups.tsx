import Button from "@cloudscape-design/components/button";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { ResourceTable } from "../../kit/ResourceTable";
import { Status } from "../../kit/Status";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { useDescribed } from "../../kit/useDescribed";

const FILTERS = [{ member: "CreationTimeAfter" }, { member: "CreationTimeBefore" }];
const SORTS = { name: "Name", created: "CreationTime" };

interface Newest {
  ModelPackageVersion?: number;
  ModelApprovalStatus?: string;
  CreationTime: number;
}

/** The groups of the model registry: each is a model with all its versions. */
export default function Groups() {
  useTrail({ text: "Model registry" });
  const navigate = useNavigate();
  const newest = useDescribed(
    (row) => String(row["ModelPackageGroupArn"]),
    async (row, signal) => {
      const found = await call<{ ModelPackageSummaryList: Newest[] }>(
        "sagemaker",
        "ListModelPackages",
        { ModelPackageGroupName: row["ModelPackageGroupName"], MaxResults: 1, SortBy: "CreationTime", SortOrder: "Descending" },
        signal,
      );
      return found.ModelPackageSummaryList[0] ?? null;
    },
  );
  return (
    <ResourceTable
      service="sagemaker"
      operation="ListModelPackageGroups"
      rows="ModelPackageGroupSummaryList"
      title="Model registry"
      description="Groups of versions of a model, and which of them are approved"
      columns={[
        {
          id: "name",
          header: "Group",
          isRowHeader: true,
          width: 240,
          cell: (row) => <To path={below("model-registry", String(row["ModelPackageGroupName"]))}>{String(row["ModelPackageGroupName"])}</To>,
        },
        { id: "description", header: "Description", width: 290, minWidth: 160, cell: (row) => String(row["ModelPackageGroupDescription"] ?? "-") },
        {
          id: "newest",
          header: "Newest version",
          width: 150,
          cell: (row) => {
            const found = newest.of(row);
            if (!found) return found === undefined ? "…" : "No versions";
            const version = String(found.ModelPackageVersion ?? "");
            return <To path={below("model-registry", String(row["ModelPackageGroupName"]), version)}>{`Version ${version}`}</To>;
          },
        },
        { id: "approval", header: "Its approval", width: 235, cell: (row) => <Status value={newest.of(row)?.ModelApprovalStatus} /> },
        { id: "created", header: "Created", width: 150, cell: (row) => <Time at={row["CreationTime"]} /> },
      ]}
      filters={FILTERS}
      sorts={SORTS}
      selection="multi"
      bulk={[
        {
          verb: "Delete",
          nouns: ["group", "groups"],
          name: (row) => String(row["ModelPackageGroupName"]),
          act: (row) => call("sagemaker", "DeleteModelPackageGroup", { ModelPackageGroupName: row["ModelPackageGroupName"] }),
          note: "Only a group without versions can be deleted.",
        },
      ]}
      onRows={newest.show}
      actions={() => (
        <Button variant="primary" onClick={() => navigate("/explorer/sagemaker/ModelPackageGroup/create")}>
          Create group
        </Button>
      )}
    />
  );
}
