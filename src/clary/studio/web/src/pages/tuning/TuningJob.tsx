import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMemo, useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call, type Members } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { CopyAs } from "../../kit/CopyAs";
import { Failure } from "../../kit/Failure";
import { requestOf } from "../../kit/forms/fill";
import { Loading } from "../../kit/Loading";
import { PageTabs } from "../../kit/PageTabs";
import { Tags } from "../../kit/Tags";
import { useTab } from "../../kit/useTab";
import { again } from "./begin";
import { Charts } from "./Charts";
import { Configuration } from "./Configuration";
import { Overview } from "./Overview";
import { Summary } from "./Summary";
import { Trials } from "./Trials";
import { definitionsOf, type TuningJobDescription } from "./tuning";
import { useTuningJob } from "./useTuningJob";

const CREATE = "CreateHyperParameterTuningJob";

/** One tuning job: how the search goes, what it has tried, and what was best. */
export default function TuningJob() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [asked, setAsked] = useState<"Stop" | "Delete">();
  const [definition, chooseDefinition] = useTab("", "definition");
  useTrail({ text: "Tuning jobs", to: "/tuning-jobs" }, { text: name });
  const watched = useTuningJob(name);
  const found = watched.value;
  const definitions = useMemo(() => (found ? definitionsOf(found.job) : []), [found?.job]);

  if (watched.error && !found) return <Failure page={name} what={`The tuning job ${name} cannot be shown`} error={watched.error} again={watched.again} />;
  if (!found) return <Loading page={name} />;
  const { job, trials } = found;
  const chosen = { definitions, definition, onDefinition: chooseDefinition };

  async function begin(job: TuningJobDescription, changed: (request: Members) => Members) {
    try {
      const request = await requestOf("sagemaker", CREATE, job);
      navigate("/tuning-jobs/-/create", { state: { fill: changed(request) } });
    } catch (error) {
      notices.failed("The form cannot be shown", error);
    }
  }

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <div className="clary-actions">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={watched.again} />
              <CopyAs service="sagemaker" operation={CREATE} members={() => requestOf("sagemaker", CREATE, job)} />
              <Button disabled={job.HyperParameterTuningJobStatus !== "InProgress"} onClick={() => setAsked("Stop")}>
                Stop
              </Button>
              <Button disabled={!watched.ended} disabledReason="Stop it first" onClick={() => setAsked("Delete")}>
                Delete
              </Button>
              <ButtonDropdown
                variant="primary"
                mainAction={{ text: "Tune again with changes", onClick: () => void begin(job, (request) => again(request)) }}
                items={[{ id: "warm", text: "Go on from what it found …", disabled: !watched.ended || definitions.length > 1, disabledReason: "It must have ended, and have one definition" }]}
                onItemClick={() => void begin(job, (request) => again(request, name))}
                ariaLabel="More ways to tune again"
              />
            </div>
          }
        >
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {job.FailureReason && (
          <Alert type="error" header="The tuning job failed">
            <span className="clary-reason">{job.FailureReason}</span>
          </Alert>
        )}
        <Summary job={job} definitions={definitions} ended={watched.ended} />
        <PageTabs
          label="About this tuning job"
          tabs={[
            { id: "overview", label: "Overview", content: <Overview job={job} trials={trials} ended={watched.ended} /> },
            { id: "trials", label: `Trials (${trials.length})`, content: <Trials trials={trials} best={job.BestTrainingJob?.TrainingJobName} {...chosen} /> },
            { id: "charts", label: "Charts", content: <Charts trials={trials} best={job.BestTrainingJob?.TrainingJobName} ended={watched.ended} {...chosen} /> },
            { id: "configuration", label: "Configuration", content: <Configuration job={job} definitions={definitions} /> },
            { id: "tags", label: "Tags", content: <Tags arn={job.HyperParameterTuningJobArn} /> },
          ]}
        />
      </SpaceBetween>
      {asked && (
        <Confirm
          verb={asked}
          title={`${asked} this tuning job?`}
          names={[name]}
          onDismiss={() => setAsked(undefined)}
          onConfirm={async () => {
            await call("sagemaker", `${asked}HyperParameterTuningJob`, { HyperParameterTuningJobName: name });
            if (asked === "Delete") {
              notices.succeeded("Deleted");
              navigate("/tuning-jobs");
            } else {
              notices.succeeded("Stopping");
              watched.again();
            }
          }}
        >
          {asked === "Stop" ? "Its training jobs are stopped too. What they have found until then is kept." : "Its training jobs and what these have trained are kept."}
        </Confirm>
      )}
    </ContentLayout>
  );
}
