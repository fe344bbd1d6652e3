import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TabsProps } from "@cloudscape-design/components/tabs";
import { type ReactNode, useState } from "react";
import { useNavigate } from "react-router-dom";

import { call, type Members } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { CopyAs } from "../../kit/CopyAs";
import { Environment, withoutSecrets } from "../../kit/Environment";
import { Failure } from "../../kit/Failure";
import { requestOf } from "../../kit/forms/fill";
import { JsonView } from "../../kit/JsonView";
import { Loading } from "../../kit/Loading";
import { newName, shortImage } from "../../kit/names";
import { PageTabs } from "../../kit/PageTabs";
import { RoleLink } from "../../kit/RoleLink";
import { Status } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { duration, Time } from "../../kit/Time";
import type { JobKind } from "./kinds";
import type { Watched } from "./useJob";

type Item = { label: string; value: ReactNode };

interface Props<T> {
  kind: JobKind;
  watched: Watched<T>;
  /** What of it differs between kinds of jobs, once the job is known. */
  parts: (job: T) => {
    /** What stands behind the status in the summary. */
    stage: Item;
    /** The image or the model that it runs. */
    runs: Item;
    instances: string;
    more?: Item[];
    alerts?: ReactNode;
    tabs: TabsProps.Tab[];
    /** What stands above the environment in its configuration. */
    configuration: ReactNode;
    /** The main thing to be done with it, instead of running it again. */
    main?: ReactNode;
  };
}

/** One job: how it goes, what it was given, what it says, and what can be done with it. */
export function JobPage<T extends Members>({ kind, watched, parts }: Props<T>) {
  const { name, described, ended } = watched;
  const navigate = useNavigate();
  const notices = useNotices();
  const [stopping, setStopping] = useState(false);
  useTrail({ text: kind.title, to: kind.path }, { text: name });

  if (described.error && !described.value) return <Failure page={name} what={`The job ${name} cannot be shown`} error={described.error} again={described.again} />;
  const job = described.value;
  if (!job) return <Loading page={name} />;
  const operation = `Create${kind.noun}`;
  const { stage, runs, instances, more = [], alerts, tabs, configuration, main } = parts(job);
  const status = String(job[`${kind.noun}Status`]);
  const arn = String(job[`${kind.noun}Arn`]);
  const began = job[`${kind.phase}StartTime`];
  const end = job[`${kind.phase}EndTime`] ?? Date.now() / 1000;

  async function again(before: Members) {
    try {
      const fill = await requestOf("sagemaker", operation, before);
      navigate(`/explorer/sagemaker/${kind.noun}/create`, { state: { fill: { ...fill, [`${kind.noun}Name`]: newName(name) } } });
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
              <Button iconName="refresh" ariaLabel="Refresh" onClick={described.again} />
              <CopyAs service="sagemaker" operation={operation} members={() => requestOf("sagemaker", operation, job)} />
              <Button disabled={ended || status === "Stopping"} onClick={() => setStopping(true)}>
                Stop
              </Button>
              <Button variant={main ? "normal" : "primary"} onClick={() => void again(job)}>
                {kind.again}
              </Button>
              {main}
            </div>
          }
        >
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {typeof job["FailureReason"] === "string" && (
          <Alert type="error" header="The job failed">
            <span className="clary-reason">{job["FailureReason"]}</span>
          </Alert>
        )}
        {alerts}
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            items={[
              { label: "Status", value: <Status value={status} /> },
              stage,
              { label: "Created", value: <Time at={job["CreationTime"]} /> },
              { label: `${kind.phase} time`, value: began === undefined ? "-" : duration(Number(end) - Number(began)) },
              runs,
              { label: "Instances", value: instances },
              ...("RoleArn" in job ? [{ label: "Role", value: <RoleLink arn={job["RoleArn"]} /> }] : []),
              { label: "ARN", value: <Copy text={arn} /> },
              ...more,
            ]}
          />
        </Container>
        <PageTabs
          label="About this job"
          tabs={[
            ...tabs,
            {
              id: "configuration",
              label: "Configuration",
              content: (
                <SpaceBetween size="l">
                  {configuration}
                  <Container>
                    <Environment variables={job["Environment"] as Record<string, string> | undefined} />
                  </Container>
                  <Container header={<Header>All of it</Header>}>
                    <JsonView value={withoutSecrets(job)} />
                  </Container>
                </SpaceBetween>
              ),
            },
            { id: "tags", label: "Tags", content: <Tags arn={arn} /> },
          ]}
        />
      </SpaceBetween>
      {stopping && (
        <Confirm
          verb="Stop"
          title="Stop this job?"
          names={[name]}
          onDismiss={() => setStopping(false)}
          onConfirm={async () => {
            await call("sagemaker", `Stop${kind.noun}`, { [`${kind.noun}Name`]: name });
            notices.succeeded("Stopping");
            described.again();
          }}
        >
          {kind.stopped}
        </Confirm>
      )}
    </ContentLayout>
  );
}

/** The image of a job, for its summary. */
export function imageItem(image: string | undefined): Item {
  return { label: "Image", value: <Copy text={image} shown={shortImage(image)} /> };
}
