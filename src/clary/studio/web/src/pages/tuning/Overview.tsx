import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import ProgressBar from "@cloudscape-design/components/progress-bar";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";

import { call, type Members } from "../../api/client";
import { shown } from "../../kit/Chart";
import { Copy } from "../../kit/Copy";
import { oneLine } from "../../kit/reason";
import { Status } from "../../kit/Status";
import { duration } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { UseTrained } from "../jobs/UseTrained";
import { endedCount, type Trial, type TuningJobDescription } from "./tuning";

/** The best training job with what it was given, how far the search is, and what failed. */
export function Overview({ job, trials, ended }: { job: TuningJobDescription; trials: Trial[]; ended: boolean }) {
  const most = job.HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs;
  const failed = trials.filter((trial) => trial.status === "Failed");
  return (
    <SpaceBetween size="l">
      {!ended && most !== undefined && (
        <Container>
          <ProgressBar
            label="Training jobs that have ended"
            value={(100 * endedCount(job.TrainingJobStatusCounters)) / most}
            additionalInfo={`${endedCount(job.TrainingJobStatusCounters)} of ${most}; ${job.TrainingJobStatusCounters.InProgress} in progress`}
          />
        </Container>
      )}
      <Best job={job} trial={trials.find((trial) => trial.name === job.BestTrainingJob?.TrainingJobName)} ended={ended} />
      {failed.length > 0 && (
        <Table
          header={<Header counter={`(${failed.length})`}>Training jobs that failed</Header>}
          items={failed}
          trackBy="name"
          wrapLines
          columnDefinitions={[
            { id: "name", header: "Name", isRowHeader: true, minWidth: 220, cell: (row) => <To path={below("training-jobs", row.name)}>{row.name}</To> },
            { id: "reason", header: "Reason", cell: (row) => oneLine(row.reason) || "-" },
          ]}
          ariaLabels={{ tableLabel: "Training jobs that failed" }}
        />
      )}
    </SpaceBetween>
  );
}

function Best({ job, trial, ended }: { job: TuningJobDescription; trial: Trial | undefined; ended: boolean }) {
  if (!trial) {
    return (
      <Container header={<Header>Best training job</Header>}>
        <Box color="text-body-secondary">{ended ? "No training job ended with a value of the objective" : "It appears here when the first training job has ended with a value of the objective"}</Box>
      </Container>
    );
  }
  const tuned = Object.entries(trial.tuned);
  return (
    <Container
      header={
        <Header
          actions={
            <div className="clary-actions">
              <CopyToClipboard
                textToCopy={JSON.stringify(trial.tuned, null, 2)}
                copyButtonText="Copy hyperparameters"
                copySuccessText="Copied"
                copyErrorText="The browser did not let it be copied"
              />
              <UseTrained usable={trial.status === "Completed"} describe={() => call<Members>("sagemaker", "DescribeTrainingJob", { TrainingJobName: trial.name })} />
            </div>
          }
        >
          Best training job
        </Header>
      }
    >
      <SpaceBetween size="l">
        <KeyValuePairs
          columns={4}
          items={[
            { label: "Name", value: <To path={below("training-jobs", trial.name)}>{trial.name}</To> },
            {
              label: job.BestTrainingJob?.FinalHyperParameterTuningJobObjectiveMetric?.MetricName ?? "Objective",
              value: (
                <Box fontSize="heading-l" fontWeight="bold">
                  {shown(trial.value)}
                </Box>
              ),
            },
            { label: "Status", value: <Status value={trial.status} /> },
            { label: "Trained for", value: trial.began === undefined || trial.ended === undefined ? "-" : duration(trial.ended - trial.began) },
            ...(trial.definition ? [{ label: "Definition", value: trial.definition }] : []),
          ]}
        />
        <div>
          <Box variant="h3" padding={{ bottom: "xs" }}>
            Hyperparameters it was tuned to
          </Box>
          <KeyValuePairs columns={4} items={tuned.map(([label, value]) => ({ label, value: <Copy text={value} /> }))} />
        </div>
      </SpaceBetween>
    </Container>
  );
}
