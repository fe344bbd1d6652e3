import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { Fragment } from "react";

import { Better } from "../../kit/Better";
import { shown } from "../../kit/Chart";
import { Copy } from "../../kit/Copy";
import { Status, words } from "../../kit/Status";
import { duration, Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { type Counters, type Definition, endedCount, failedCount, type TuningJobDescription } from "./tuning";

/** How a tuning job goes, in short. */
export function Summary({ job, definitions, ended }: { job: TuningJobDescription; definitions: Definition[]; ended: boolean }) {
  const config = job.HyperParameterTuningJobConfig;
  const { ResourceLimits: limits } = config;
  const best = job.BestTrainingJob;
  const overall = job.OverallBestTrainingJob;
  const end = job.HyperParameterTuningEndTime ?? Date.now() / 1000;
  const objectives = [...new Set(definitions.map(({ objective }) => objective.MetricName))];
  const parents = job.WarmStartConfig?.ParentHyperParameterTuningJobs ?? [];
  return (
    <Container header={<Header>Summary</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "Status", value: <Status value={job.HyperParameterTuningJobStatus} /> },
          { label: ended ? "Took" : "Runs for", value: duration(end - job.CreationTime) },
          { label: "Training jobs", value: counted(job.TrainingJobStatusCounters, limits.MaxNumberOfTrainingJobs) },
          { label: "Best value", value: best?.FinalHyperParameterTuningJobObjectiveMetric ? <b>{shown(best.FinalHyperParameterTuningJobObjectiveMetric.Value)}</b> : "None yet" },
          { label: "Strategy", value: `${config.Strategy}${job.Autotune?.Mode === "Enabled" ? ", with Autotune" : ""}` },
          {
            label: "Objective",
            value: (
              <>
                {objectives.join(", ") || "-"} <Better direction={definitions[0]?.objective.Type} />
              </>
            ),
          },
          { label: "Limits", value: limited(limits) },
          { label: "Best training job", value: best ? <To path={below("training-jobs", best.TrainingJobName)}>{best.TrainingJobName}</To> : "None yet" },
          { label: "Ends early", value: criteria(job) },
          { label: "Training jobs are stopped early", value: config.Strategy === "Hyperband" ? "By Hyperband" : config.TrainingJobEarlyStoppingType === "Auto" ? "Those without prospects" : "No" },
          { label: "Created", value: <Time at={job.CreationTime} /> },
          { label: "ARN", value: <Copy text={job.HyperParameterTuningJobArn} /> },
          ...(parents.length > 0
            ? [
                {
                  label: `Goes on from (${words(job.WarmStartConfig?.WarmStartType ?? "").toLowerCase()})`,
                  value: parents.map(({ HyperParameterTuningJobName: parent }, index) => (
                    <Fragment key={parent}>
                      {index > 0 && ", "}
                      <To path={below("tuning-jobs", parent)}>{parent}</To>
                    </Fragment>
                  )),
                },
              ]
            : []),
          ...(overall && overall.TrainingJobName !== best?.TrainingJobName
            ? [
                {
                  label: "Best with what it goes on from",
                  value: (
                    <>
                      <b>{shown(overall.FinalHyperParameterTuningJobObjectiveMetric?.Value)}</b>{" "}
                      <To path={below("training-jobs", overall.TrainingJobName)}>{overall.TrainingJobName}</To>
                    </>
                  ),
                },
              ]
            : []),
          ...(job.TuningJobCompletionDetails?.ConvergenceDetectedTime !== undefined ? [{ label: "Converged", value: <Time at={job.TuningJobCompletionDetails.ConvergenceDetectedTime} /> }] : []),
        ]}
      />
    </Container>
  );
}

function counted(counters: Counters, most: number | undefined): string {
  const parts = [
    [counters.InProgress, "in progress"],
    [counters.Completed, "completed"],
    [counters.Stopped, "stopped"],
    [failedCount(counters), "failed"],
  ] as const;
  const told = parts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : []));
  return `${endedCount(counters)}${most === undefined ? "" : ` of ${most}`}${told.length > 0 ? `: ${told.join(", ")}` : ""}`;
}

function limited({ MaxNumberOfTrainingJobs: jobs, MaxParallelTrainingJobs: parallel, MaxRuntimeInSeconds: seconds }: TuningJobDescription["HyperParameterTuningJobConfig"]["ResourceLimits"]): string {
  return [jobs === undefined ? "" : `${jobs} training job${jobs === 1 ? "" : "s"}`, `${parallel} at once`, seconds === undefined ? "" : duration(seconds)].filter(Boolean).join(", ");
}

/** What ends it before its limits do. */
function criteria(job: TuningJobDescription): string {
  const { TargetObjectiveMetricValue: target, BestObjectiveNotImproving: patience, ConvergenceDetected: convergence } = job.HyperParameterTuningJobConfig.TuningJobCompletionCriteria ?? {};
  const most = patience?.MaxNumberOfTrainingJobsNotImproving;
  const since = job.TuningJobCompletionDetails?.NumberOfTrainingJobsObjectiveNotImproving ?? 0;
  const told = [
    target === undefined ? "" : `at ${shown(target)}`,
    most === undefined ? "" : `after ${most} without improvement (now ${since})`,
    convergence?.CompleteOnConvergence === "Enabled" ? "when nothing improves any more" : "",
  ].filter(Boolean);
  return told.length > 0 ? told.join(", or ").replace(/^./, (first) => first.toUpperCase()) : "No";
}
