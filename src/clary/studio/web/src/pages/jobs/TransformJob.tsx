import { useParams } from "react-router-dom";

import { LogView } from "../../kit/LogView";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { History } from "./History";
import { JobPage } from "./JobPage";
import { TRANSFORM } from "./kinds";
import { Requests } from "./Requests";
import { stagesOf, type TransformJobDescription } from "./transform";
import { TransformData } from "./TransformData";
import { Usage } from "./Usage";
import { useJob } from "./useJob";

/** One transform job: what it reads, how the model is asked, and what it has written. */
export default function TransformJob() {
  const { name = "" } = useParams();
  const watched = useJob<TransformJobDescription>(TRANSFORM, name);
  return (
    <JobPage
      kind={TRANSFORM}
      watched={watched}
      parts={(job) => {
        const { InstanceCount: count = 1, InstanceType: type = "-" } = job.TransformResources;
        const experiment = job.ExperimentConfig?.ExperimentName;
        return {
          stage: { label: "Started", value: <Time at={job.TransformStartTime} /> },
          runs: { label: "Model", value: <To path={below("models", job.ModelName)}>{job.ModelName}</To> },
          instances: `${count} × ${type}`,
          more: experiment ? [{ label: "Experiment", value: <To path={below("experiments", experiment)}>{experiment}</To> }] : [],
          tabs: [
            { id: "data", label: "Input and output", content: <TransformData job={job} ended={watched.ended} /> },
            { id: "logs", label: "Logs", content: <LogView logs={watched.logs} name={name} /> },
            { id: "usage", label: "Usage", content: <Usage kind={TRANSFORM} name={name} instances={count} began={job.TransformStartTime} end={job.TransformEndTime} /> },
            { id: "history", label: "History", content: <History transitions={stagesOf(job)} /> },
          ],
          configuration: <Requests job={job} />,
        };
      }}
    />
  );
}
