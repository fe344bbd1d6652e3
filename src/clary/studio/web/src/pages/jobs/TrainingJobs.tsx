import Button from "@cloudscape-design/components/button";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { ResourceTable, type Row } from "../../kit/ResourceTable";
import { Status, words } from "../../kit/Status";
import { duration, Time } from "../../kit/Time";
import { below, To } from "../../kit/To";

const STATUSES = ["InProgress", "Completed", "Failed", "Stopping", "Stopped"];
const FILTERS = [
  { member: "StatusEquals", options: STATUSES },
  { member: "CreationTimeAfter" },
  { member: "CreationTimeBefore" },
  { member: "LastModifiedTimeAfter" },
];
const SORTS = { name: "Name", created: "CreationTime", status: "Status" };

/** All training jobs. */
export default function TrainingJobs() {
  useTrail({ text: "Training jobs" });
  const navigate = useNavigate();
  const notices = useNotices();
  const [asked, setAsked] = useState<{ rows: Row[]; again: () => void }>();
  return (
    <>
      <ResourceTable
        service="sagemaker"
        operation="ListTrainingJobs"
        rows="TrainingJobSummaries"
        title="Training jobs"
        columns={[
          {
            id: "name",
            header: "Name",
            isRowHeader: true,
            cell: (row) => <To path={below("training-jobs", String(row["TrainingJobName"]))}>{String(row["TrainingJobName"])}</To>,
          },
          { id: "status", header: "Status", cell: (row) => <Status value={row["TrainingJobStatus"]} /> },
          { id: "stage", header: "Stage", cell: (row) => words(String(row["SecondaryStatus"] ?? "")) || "-" },
          { id: "created", header: "Created", cell: (row) => <Time at={row["CreationTime"]} /> },
          { id: "took", header: "Took", cell: took },
        ]}
        filters={FILTERS}
        sorts={SORTS}
        fixed={{}}
        selection="multi"
        milliseconds={3000}
        actions={(selected, again) => (
          <>
            <Button
              disabled={!selected.some((row) => row["TrainingJobStatus"] === "InProgress")}
              onClick={() => setAsked({ rows: selected.filter((row) => row["TrainingJobStatus"] === "InProgress"), again })}
            >
              Stop
            </Button>
            <Button variant="primary" onClick={() => navigate("/explorer/sagemaker/TrainingJob/create")}>
              Create training job
            </Button>
          </>
        )}
      />
      {asked && (
        <Confirm
          verb="Stop"
          title={asked.rows.length === 1 ? "Stop this job?" : `Stop ${asked.rows.length} jobs?`}
          names={asked.rows.map((row) => String(row["TrainingJobName"]))}
          onDismiss={() => setAsked(undefined)}
          onConfirm={async () => {
            for (const row of asked.rows) await call("sagemaker", "StopTrainingJob", { TrainingJobName: row["TrainingJobName"] });
            notices.succeeded("Stopping");
            asked.again();
          }}
        />
      )}
    </>
  );
}

function took(row: Row): string {
  const end = (row["TrainingEndTime"] as number | undefined) ?? (row["TrainingJobStatus"] === "InProgress" ? Date.now() / 1000 : undefined);
  return end === undefined ? "-" : duration(end - Number(row["CreationTime"]));
}
