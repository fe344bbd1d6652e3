import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call, type Members } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { shown } from "../../kit/Chart";
import { ResourceTable, type Row } from "../../kit/ResourceTable";
import { Status } from "../../kit/Status";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { useDescribed } from "../../kit/useDescribed";
import { usePolling } from "../../kit/usePolling";
import { Decide } from "./Decide";
import { metricName, qualityOf, readFiles } from "./metrics";
import { APPROVALS, type Approval, describePackage, type ModelPackage, personName } from "./package";

const FILTERS = [{ member: "ModelApprovalStatus", options: APPROVALS }, { member: "CreationTimeAfter" }, { member: "CreationTimeBefore" }];
const SORTS = { version: "CreationTime" };
const MOST_METRICS = 3;
const COMPARED = { least: 2, most: 4 };

interface Told {
  found: ModelPackage;
  quality: Record<string, number>;
}

/** The versions of a model. */
export default function Group() {
  const { group = "" } = useParams();
  const navigate = useNavigate();
  const [decided, setDecided] = useState<{ row: Row; to: Approval; again: () => void }>();
  useTrail({ text: "Model registry", to: "/model-registry" }, { text: group });
  const described = usePolling((signal) => call<Members>("sagemaker", "DescribeModelPackageGroup", { ModelPackageGroupName: group }, signal), [group]);
  const versions = useDescribed<Told>(
    (row) => `${String(row["ModelPackageArn"])} ${String(row["ModelApprovalStatus"])}`,
    async (row, signal) => {
      const found = await describePackage(String(row["ModelPackageArn"]), signal);
      const quality = found.ModelMetrics?.["ModelQuality"]?.["Statistics"];
      // Only the statistics are read here: they are what versions are compared by.
      const files = quality ? await readFiles({ ModelQuality: { Statistics: quality } }, signal) : [];
      return { found, quality: qualityOf(files) };
    },
  );
  const [rows, setRows] = useState<Row[]>([]);
  const metrics = commonest(rows.map((row) => Object.keys(versions.of(row)?.quality ?? {})));
  const page = (row: Row) => below("model-registry", group, String(row["ModelPackageVersion"]));

  return (
    <>
      <ResourceTable
        service="sagemaker"
        operation="ListModelPackages"
        rows="ModelPackageSummaryList"
        title={group}
        {...(described.value?.["ModelPackageGroupDescription"] ? { description: String(described.value["ModelPackageGroupDescription"]) } : {})}
        fixed={{ ModelPackageGroupName: group, ModelPackageType: "Versioned", SortBy: "CreationTime", SortOrder: "Descending" }}
        empty={
          <Box textAlign="center" padding="l" color="text-body-secondary">
            {described.error ? "There is no group of this name" : "No versions here. A version is registered with CreateModelPackage, or by a step of a pipeline."}
          </Box>
        }
        columns={[
          { id: "version", header: "Version", isRowHeader: true, width: 115, cell: (row) => <To path={page(row)}>{`Version ${String(row["ModelPackageVersion"])}`}</To> },
          { id: "approval", header: "Approval", width: 230, cell: (row) => <Status value={row["ModelApprovalStatus"]} /> },
          { id: "stage", header: "Stage", width: 105, cell: (row) => (row["ModelLifeCycle"] as { Stage?: string } | undefined)?.Stage ?? "-" },
          ...metrics.map((metric) => ({
            id: `metric-${metric}`,
            header: metricName(metric),
            width: 100,
            cell: (row: Row) => {
              const told = versions.of(row);
              return told === undefined ? "…" : shown(told?.quality[metric]);
            },
          })),
          { id: "created", header: "Created", width: 130, cell: (row) => <Time at={row["CreationTime"]} /> },
          { id: "by", header: "Created by", width: 130, cell: (row) => (versions.of(row) === undefined ? "…" : personName(versions.of(row)?.found.CreatedBy)) },
          { id: "description", header: "Description", minWidth: 160, cell: (row) => String(row["ModelPackageDescription"] ?? "-") },
        ]}
        filters={FILTERS}
        sorts={SORTS}
        selection="multi"
        bulk={[
          {
            verb: "Delete",
            nouns: ["version", "versions"],
            name: (row) => `${group} version ${String(row["ModelPackageVersion"])}`,
            act: (row) => call("sagemaker", "DeleteModelPackage", { ModelPackageName: row["ModelPackageArn"] }),
            note: "Artifacts and reports in S3 are kept.",
          },
        ]}
        onRows={(seen) => {
          setRows(seen);
          versions.show(seen);
        }}
        actions={(selected, again) => (
          <>
            <ButtonDropdown
              disabled={selected.length !== 1}
              items={[
                { id: "Approved", text: "Approve" },
                { id: "Rejected", text: "Reject" },
                { id: "PendingManualApproval", text: "Ask again for approval" },
              ].filter((item) => item.id !== selected[0]?.["ModelApprovalStatus"])}
              onItemClick={({ detail }) => selected[0] && setDecided({ row: selected[0], to: detail.id as Approval, again })}
            >
              Approval
            </ButtonDropdown>
            <Button
              variant="primary"
              disabled={selected.length < COMPARED.least || selected.length > COMPARED.most}
              disabledReason={`Choose ${COMPARED.least} to ${COMPARED.most} versions`}
              onClick={() => {
                const chosen = selected.map((row) => Number(row["ModelPackageVersion"])).sort((one, other) => one - other);
                navigate(`${below("model-registry", group)}/compare?versions=${chosen.join()}`);
              }}
            >
              Compare
            </Button>
          </>
        )}
      />
      {decided && (
        <Decide
          arn={String(decided.row["ModelPackageArn"])}
          name={`${group} version ${String(decided.row["ModelPackageVersion"])}`}
          to={decided.to}
          onDismiss={() => setDecided(undefined)}
          onDone={decided.again}
        />
      )}
    </>
  );
}

/** The metrics that most versions have, the commonest first. */
function commonest(names: string[][]): string[] {
  const counts = new Map<string, number>();
  for (const name of names.flat()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, MOST_METRICS)
    .map(([name]) => name);
}
