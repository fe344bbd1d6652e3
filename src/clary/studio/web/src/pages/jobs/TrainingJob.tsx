import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { algorithmOf, algorithms } from "../../api/algorithms";
import { useNotices } from "../../frame/notices";
import { LogView } from "../../kit/LogView";
import { words } from "../../kit/Status";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { Artifacts } from "./Artifacts";
import { Cost } from "./Cost";
import { History } from "./History";
import { imageItem, JobPage } from "./JobPage";
import { TRAINING } from "./kinds";
import { useLoggedMetrics } from "./metrics";
import { Parameters } from "./Parameters";
import { Retries } from "./Retries";
import { Spot } from "./Spot";
import { deployTrained, modelOf } from "./trained";
import { isPoolOpen, shownInstances, type TrainingJobDescription } from "./training";
import { TrainingMetrics } from "./TrainingMetrics";
import { useJob } from "./useJob";
import { WarmPool } from "./WarmPool";

/** One training job: how it goes, what it measures, what it reads and writes, and what it used. */
export default function TrainingJob() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [deploying, setDeploying] = useState(false);
  const watched = useJob<TrainingJobDescription>(TRAINING, name, isPoolOpen);
  const { ended, logs } = watched;
  const logged = useLoggedMetrics(watched.described.value?.AlgorithmSpecification.MetricDefinitions, logs.events);
  const builtIn = usePolling(algorithms, []);

  async function deployIt(trained: TrainingJobDescription) {
    setDeploying(true);
    try {
      const endpoint = await deployTrained(trained);
      notices.succeeded(`The endpoint ${endpoint} is being made`);
      navigate(below("endpoints", endpoint));
    } catch (error) {
      notices.failed("The model was not deployed", error);
      setDeploying(false);
    }
  }

  return (
    <JobPage
      kind={TRAINING}
      watched={watched}
      parts={(job) => {
        const experiment = job.ExperimentConfig?.ExperimentName;
        const isUsable = job.TrainingJobStatus === "Completed";
        const parameters = job.HyperParameters ?? {};
        const algorithm = algorithmOf(builtIn.value ?? [], job.AlgorithmSpecification.TrainingImage, parameters);
        return {
          stage: { label: "Stage", value: words(job.SecondaryStatus ?? "") || "-" },
          runs: imageItem(job.AlgorithmSpecification.TrainingImage ?? job.AlgorithmSpecification.AlgorithmName),
          instances: `${shownInstances(job)}${job.EnableManagedSpotTraining ? ", spot" : ""}`,
          more: [
            ...(algorithm ? [{ label: "Algorithm", value: <To path={below("algorithms", algorithm.name)}>{algorithm.title}</To> }] : []),
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
            <ButtonDropdown
              variant="primary"
              loading={deploying}
              disabled={!isUsable}
              disabledReason="Only the model of a completed job can be used"
              mainAction={{
                text: "Deploy",
                loading: deploying,
                disabled: !isUsable,
                disabledReason: "Only the model of a completed job can be deployed",
                onClick: () => void deployIt(job),
              }}
              items={[{ id: "model", text: "Create model …" }]}
              onItemClick={() => navigate("/explorer/sagemaker/Model/create", { state: { fill: modelOf(job) } })}
              ariaLabel="More to do with the model"
            />
          ),
        };
      }}
    />
  );
}
