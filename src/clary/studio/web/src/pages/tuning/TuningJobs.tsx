import Button from "@cloudscape-design/components/button";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { shown } from "../../kit/Chart";
import { ResourceTable, type Row } from "../../kit/ResourceTable";
import { Status } from "../../kit/Status";
import { duration, Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { useDescribed } from "../../kit/useDescribed";
import { hasEnded } from "../jobs/useJob";
import { type Counters, endedCount, type TuningJobDescription } from "./tuning";

const FILTERS = [
  { member: "StatusEquals", options: ["InProgress", "Completed", "Failed", "Stopping", "Stopped"] },
  { member: "CreationTimeAfter" },
  { member: "CreationTimeBefore" },
  { member: "LastModifiedTimeAfter" },
];
const SORTS = { name: "Name", created: "CreationTime", status: "Status" };
const NEWEST_FIRST = { SortBy: "CreationTime", SortOrder: "Descending" };
const JOBS = { nouns: ["tuning job", "tuning jobs"] as [string, string] };

/** All tuning jobs. */
export default function TuningJobs() {
  useTrail({ text: "Tuning jobs" });
  const navigate = useNavigate();
  const described = useDescribed<TuningJobDescription>(
    (row) => JSON.stringify([row["HyperParameterTuningJobName"], row["CreationTime"], row["ObjectiveStatusCounters"]]),
    (row, signal) => call("sagemaker", "DescribeHyperParameterTuningJob", { HyperParameterTuningJobName: row["HyperParameterTuningJobName"] }, signal),
  );
  return (
    <ResourceTable
      service="sagemaker"
      operation="ListHyperParameterTuningJobs"
      rows="HyperParameterTuningJobSummaries"
      title="Tuning jobs"
      description="Searches for the best hyperparameters, each with many training jobs"
      fixed={NEWEST_FIRST}
      columns={[
        { id: "name", header: "Name", isRowHeader: true, width: 240, cell: (row) => <To path={below("tuning-jobs", name(row))}>{name(row)}</To> },
        { id: "status", header: "Status", width: 140, cell: (row) => <Status value={status(row)} /> },
        { id: "strategy", header: "Strategy", width: 120, cell: (row) => String(row["Strategy"] ?? "-") },
        { id: "best", header: "Best objective", width: 190, minWidth: 130, cell: (row) => best(described.of(row)) },
        { id: "jobs", header: "Training jobs", width: 130, cell: jobs },
        { id: "created", header: "Created", width: 140, cell: (row) => <Time at={row["CreationTime"]} /> },
        { id: "took", header: "Took", minWidth: 100, cell: took },
      ]}
      filters={FILTERS}
      sorts={SORTS}
      selection="multi"
      milliseconds={3000}
      onRows={described.show}
      bulk={[
        {
          ...JOBS,
          verb: "Stop",
          name,
          can: (row) => status(row) === "InProgress",
          act: (row) => call("sagemaker", "StopHyperParameterTuningJob", { HyperParameterTuningJobName: name(row) }),
          note: "Their training jobs are stopped too. What they have found until then is kept.",
        },
        {
          ...JOBS,
          verb: "Delete",
          name,
          can: (row) => hasEnded(status(row)),
          act: (row) => call("sagemaker", "DeleteHyperParameterTuningJob", { HyperParameterTuningJobName: name(row) }),
          note: "Their training jobs and what these have trained are kept.",
        },
      ]}
      actions={() => (
        <Button variant="primary" onClick={() => navigate("/tuning-jobs/-/create")}>
          Create tuning job
        </Button>
      )}
    />
  );
}

function name(row: Row): string {
  return String(row["HyperParameterTuningJobName"]);
}

function status(row: Row): string {
  return String(row["HyperParameterTuningJobStatus"]);
}

function best(job: TuningJobDescription | null | undefined): string {
  if (job === undefined) return "…";
  const found = job?.BestTrainingJob?.FinalHyperParameterTuningJobObjectiveMetric;
  return found ? `${shown(found.Value)} ${found.MetricName}` : "-";
}

function jobs(row: Row): string {
  const most = (row["ResourceLimits"] as { MaxNumberOfTrainingJobs?: number } | undefined)?.MaxNumberOfTrainingJobs;
  const done = endedCount(row["TrainingJobStatusCounters"] as Counters);
  return most === undefined ? String(done) : `${done} of ${most}`;
}

function took(row: Row): string {
  const end = row["HyperParameterTuningEndTime"] ?? (hasEnded(status(row)) ? undefined : Date.now() / 1000);
  return end === undefined ? "-" : duration(Number(end) - Number(row["CreationTime"]));
}
