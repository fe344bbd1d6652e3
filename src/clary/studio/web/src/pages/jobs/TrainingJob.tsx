import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useNavigate, useParams } from "react-router-dom";

import { algorithmOf, algorithms } from "../../api/algorithms";
import { LogView } from "../../kit/LogView";
import { words } from "../../kit/Status";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { tuningOf } from "../tuning/begin";
import { Artifacts } from "./Artifacts";
import { Cost } from "./Cost";
import { History } from "./History";
import { imageItem, JobPage } from "./JobPage";
import { TRAINING } from "./kinds";
import { useLoggedMetrics } from "./metrics";
import { Parameters } from "./Parameters";
import { Retries } from "./Retries";
import { Spot } from "./Spot";
import { instanceCount, isPoolOpen, shownInstances, type TrainingJobDescription } from "./training";
import { TrainingMetrics } from "./TrainingMetrics";
import { Usage } from "./Usage";
import { useJob } from "./useJob";
import { UseTrained } from "./UseTrained";
import { WarmPool } from "./WarmPool";

/** One training job: how it goes, what it measures, what it reads and writes, and what it used. */
export default function TrainingJob() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const watched = useJob<TrainingJobDescription>(TRAINING, name, isPoolOpen);
  const { ended, logs } = watched;
  const logged = useLoggedMetrics(watched.described.value?.AlgorithmSpecification.MetricDefinitions, logs.events);
  const builtIn = usePolling(algorithms, []);

  return (
    <JobPage
      kind={TRAINING}
      watched={watched}
      parts={(job) => {
        const experiment = job.ExperimentConfig?.ExperimentName;
        const tuning = job.TuningJobArn?.split("/").pop();
        const parameters = job.HyperParameters ?? {};
        const algorithm = algorithmOf(builtIn.value ?? [], job.AlgorithmSpecification.TrainingImage, parameters);
        return {
          stage: { label: "Stage", value: words(job.SecondaryStatus ?? "") || "-" },
          runs: imageItem(job.AlgorithmSpecification.TrainingImage ?? job.AlgorithmSpecification.AlgorithmName),
          instances: `${shownInstances(job)}${job.EnableManagedSpotTraining ? ", spot" : ""}`,
          more: [
            ...(algorithm ? [{ label: "Algorithm", value: <To path={below("algorithms", algorithm.name)}>{algorithm.title}</To> }] : []),
            ...(tuning ? [{ label: "Tuning job", value: <To path={below("tuning-jobs", tuning)}>{tuning}</To> }] : []),
            ...(experiment ? [{ label: "Experiment", value: <To path={below("experiments", experiment)}>{experiment}</To> }] : []),
          ],
          tabs: [
            {
              id: "metrics",
              label: "Metrics",
              content: <TrainingMetrics arn={job.TrainingJobArn} ended={ended} logged={logged} last={job.FinalMetricDataList ?? []} declared={algorithm?.metrics ?? []} />,
            },
            { id: "logs", label: "Logs", content: <LogView logs={logs} name={name} /> },
            { id: "artifacts", label: "Inputs and outputs", content: <Artifacts job={job} ended={ended} /> },
            {
              id: "usage",
              label: "Usage and cost",
              content: (
                <SpaceBetween size="l">
                  <Cost job={job} ended={ended} />
                  <Usage kind={TRAINING} name={name} instances={instanceCount(job)} began={job.TrainingStartTime} end={job.TrainingEndTime} />
                  <Spot job={job} />
                  <WarmPool job={job} />
                  <Retries job={job} />
                </SpaceBetween>
              ),
            },
            { id: "history", label: "History", content: <History transitions={job.SecondaryStatusTransitions ?? []} /> },
          ],
          configuration: <Parameters given={parameters} algorithm={algorithm} />,
          main: (
            <>
              <Button onClick={() => navigate("/tuning-jobs/-/create", { state: { fill: tuningOf(job, algorithm, metricsOf(job)) } })}>Tune</Button>
              <UseTrained usable={job.TrainingJobStatus === "Completed"} describe={async () => job} />
            </>
          ),
        };
      }}
    />
  );
}

/** The metrics that a job can be tuned by: those that it reported, else those that it declares. */
function metricsOf(job: TrainingJobDescription): string[] {
  const reported = (job.FinalMetricDataList ?? []).map(({ MetricName: metric }) => metric);
  return reported.length > 0 ? reported : (job.AlgorithmSpecification.MetricDefinitions ?? []).map(({ Name: metric }) => metric);
}
