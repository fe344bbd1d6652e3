import Button from "@cloudscape-design/components/button";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { oneLine } from "../../kit/reason";
import { ResourceTable, type Row } from "../../kit/ResourceTable";
import { Status } from "../../kit/Status";
import { duration, Time } from "../../kit/Time";
import { below, To } from "../../kit/To";

const FILTERS = [
  { member: "StatusEquals", options: ["InProgress", "Completed", "Failed", "Stopping", "Stopped"] },
  { member: "CreationTimeAfter" },
  { member: "CreationTimeBefore" },
  { member: "LastModifiedTimeAfter" },
];
const SORTS = { name: "Name", created: "CreationTime", status: "Status" };

/** All processing jobs. */
export default function ProcessingJobs() {
  useTrail({ text: "Processing jobs" });
  const navigate = useNavigate();
  const notices = useNotices();
  const [asked, setAsked] = useState<{ rows: Row[]; again: () => void }>();
  return (
    <>
      <ResourceTable
        service="sagemaker"
        operation="ListProcessingJobs"
        rows="ProcessingJobSummaries"
        title="Processing jobs"
        columns={[
          { id: "name", header: "Name", isRowHeader: true, cell: (row) => <To path={below("processing-jobs", String(row["ProcessingJobName"]))}>{String(row["ProcessingJobName"])}</To> },
          { id: "status", header: "Status", cell: (row) => <Status value={row["ProcessingJobStatus"]} /> },
          { id: "reason", header: "Reason", cell: (row) => oneLine(row["ExitMessage"] ?? row["FailureReason"]) || "-" },
          { id: "created", header: "Created", cell: (row) => <Time at={row["CreationTime"]} /> },
          { id: "took", header: "Took", cell: took },
        ]}
        filters={FILTERS}
        sorts={SORTS}
        selection="multi"
        milliseconds={3000}
        actions={(selected, again) => {
          const running = selected.filter((row) => row["ProcessingJobStatus"] === "InProgress");
          return (
            <>
              <Button disabled={running.length === 0} onClick={() => setAsked({ rows: running, again })}>
                Stop
              </Button>
              <Button variant="primary" onClick={() => navigate("/explorer/sagemaker/ProcessingJob/create")}>
                Create processing job
              </Button>
            </>
          );
        }}
      />
      {asked && (
        <Confirm
          verb="Stop"
          title={asked.rows.length === 1 ? "Stop this job?" : `Stop ${asked.rows.length} jobs?`}
          names={asked.rows.map((row) => String(row["ProcessingJobName"]))}
          onDismiss={() => setAsked(undefined)}
          onConfirm={async () => {
            for (const row of asked.rows) await call("sagemaker", "StopProcessingJob", { ProcessingJobName: row["ProcessingJobName"] });
            notices.succeeded("Stopping");
            asked.again();
          }}
        />
      )}
    </>
  );
}

function took(row: Row): string {
  const end = (row["ProcessingEndTime"] as number | undefined) ?? (row["ProcessingJobStatus"] === "InProgress" ? Date.now() / 1000 : undefined);
  return end === undefined ? "-" : duration(end - Number(row["CreationTime"]));
}
