import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { CopyAs } from "../../kit/CopyAs";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { Loading } from "../../kit/Loading";
import { LogView } from "../../kit/LogView";
import { PageTabs } from "../../kit/PageTabs";
import { Status } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { useLogs } from "../../kit/useLogs";
import { usePolling } from "../../kit/usePolling";
import { useTab } from "../../kit/useTab";
import { Related } from "../explorer/Related";
import { invocationUrl } from "./address";
import { Capacity } from "./Capacity";
import { TestConsole } from "./console/TestConsole";
import { Deployment } from "./Deployment";
import { describeConfig, describeEndpoint, isMoving } from "./endpoint";
import { Captured, Policy } from "./Facts";
import { Monitoring } from "./Monitoring";
import { Scaling } from "./Scaling";
import { Update } from "./Update";
import { Variants } from "./Variants";

const MOVING_MILLISECONDS = 1000;
const RESTING_MILLISECONDS = 5000;

/** One endpoint: what answers, how fast, what it says, and a place to try it. */
export default function Endpoint() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [, setTab] = useTab("overview");
  const [asked, setAsked] = useState<"delete" | "update" | "capacity">();
  const [configToo, setConfigToo] = useState(false);
  const [moving, setMoving] = useState(true);
  useTrail({ text: "Endpoints", to: "/endpoints" }, { text: name });

  const described = usePolling(
    async (signal) => {
      const found = await describeEndpoint(name, signal);
      setMoving(isMoving(found.EndpointStatus));
      return found;
    },
    [name],
    moving ? MOVING_MILLISECONDS : RESTING_MILLISECONDS,
  );
  const configName = described.value?.EndpointConfigName ?? "";
  const config = usePolling(async (signal) => (configName ? describeConfig(configName, signal).catch(() => null) : null), [configName]);

  if (described.error && !described.value) return <Failure page={name} what={`The endpoint ${name} cannot be shown`} error={described.error} again={described.again} />;
  const endpoint = described.value;
  if (!endpoint) return <Loading page={name} />;
  const status = endpoint.EndpointStatus;
  const variants = endpoint.ProductionVariants ?? [];
  const names = variants.length ? variants.map((each) => each.VariantName) : (config.value?.ProductionVariants ?? []).map((each) => each.VariantName);

  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={described.again} />
              <CopyAs service="sagemaker" operation="DescribeEndpoint" members={{ EndpointName: name }} />
              <Button disabled={isMoving(status)} onClick={() => setAsked("delete")}>
                Delete
              </Button>
              <Button disabled={status !== "InService"} disabledReason="Only an endpoint in service can be updated" onClick={() => setAsked("update")}>
                Update
              </Button>
              <Button variant="primary" disabled={status !== "InService"} disabledReason="The endpoint is not in service" onClick={() => setTab("test")}>
                Test
              </Button>
            </SpaceBetween>
          }
        >
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {endpoint.FailureReason && (
          <Alert
            type={status === "Failed" ? "error" : "warning"}
            header={status === "Failed" ? "The endpoint could not be created" : "The last update failed; the endpoint goes on as it was"}
            action={<Button onClick={() => setTab("logs")}>Open the logs</Button>}
          >
            <span style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>{endpoint.FailureReason}</span>
          </Alert>
        )}
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            minColumnWidth={200}
            items={[
              { label: "Status", value: <Status value={status} /> },
              { label: "Created", value: <Time at={endpoint.CreationTime} /> },
              { label: "Changed", value: <Time at={endpoint.LastModifiedTime} /> },
              { label: "Configuration", value: configName ? <To path={below("endpoint-configs", configName)}>{configName}</To> : "-" },
              { label: "Data capture", value: <Captured endpoint={endpoint} /> },
              ...(endpoint.LastDeploymentConfig && !endpoint.PendingDeploymentSummary ? [{ label: "Last update", value: <Policy config={endpoint.LastDeploymentConfig} /> }] : []),
              { label: "Address for requests", value: <Copy text={invocationUrl(name)} /> },
              { label: "ARN", value: <Copy text={endpoint.EndpointArn} /> },
            ]}
          />
        </Container>
        <PageTabs
          label={name}
          tabs={[
            {
              id: "overview",
              label: "Overview",
              content: (
                <SpaceBetween size="l">
                  {endpoint.PendingDeploymentSummary && <Deployment pending={endpoint.PendingDeploymentSummary} config={endpoint.LastDeploymentConfig} />}
                  <Variants
                    summaries={variants}
                    config={config.value ?? null}
                    loading={config.loading}
                    actions={
                      <Button disabled={status !== "InService"} disabledReason="Only an endpoint in service can be changed" onClick={() => setAsked("capacity")}>
                        Change weights and instances
                      </Button>
                    }
                  />
                  <Monitoring endpoint={name} variants={names} />
                </SpaceBetween>
              ),
            },
            { id: "test", label: "Test", content: <TestConsole key={name} endpoint={name} variants={names} inService={status === "InService" || status === "Updating"} /> },
            { id: "scaling", label: "Scaling", content: <Scaling endpoint={name} variants={variants} /> },
            { id: "logs", label: "Logs", content: <Logs name={name} /> },
            {
              id: "configuration",
              label: "Configuration",
              content: (
                <SpaceBetween size="l">
                  {config.value && (
                    <Container header={<Header>Endpoint configuration</Header>}>
                      <JsonView value={config.value} label="the configuration" />
                    </Container>
                  )}
                  <Container header={<Header>Endpoint</Header>}>
                    <JsonView value={endpoint} label="the endpoint" />
                  </Container>
                </SpaceBetween>
              ),
            },
            { id: "tags", label: "Tags", content: <Tags arn={endpoint.EndpointArn} /> },
            { id: "related", label: "Related", content: <Related arn={endpoint.EndpointArn} record={endpoint} /> },
          ]}
        />
      </SpaceBetween>
      {asked === "capacity" && (
        <Capacity
          endpoint={name}
          variants={variants}
          onDismiss={() => setAsked(undefined)}
          onDone={() => {
            notices.succeeded("Changing. The endpoint answers all the while.");
            setMoving(true);
            described.again();
          }}
        />
      )}
      {asked === "update" && (
        <Update
          endpoint={name}
          current={configName}
          onDismiss={() => setAsked(undefined)}
          onDone={() => {
            notices.succeeded("Updating. The new servers take over when they are healthy.");
            setMoving(true);
            described.again();
          }}
        />
      )}
      {asked === "delete" && (
        <Confirm
          verb="Delete"
          title="Delete this endpoint?"
          names={[name]}
          onDismiss={() => setAsked(undefined)}
          onConfirm={async () => {
            await call("sagemaker", "DeleteEndpoint", { EndpointName: name });
            if (configToo && configName) await call("sagemaker", "DeleteEndpointConfig", { EndpointConfigName: configName });
            notices.succeeded("Deleting");
            navigate("/endpoints");
          }}
        >
          <SpaceBetween size="s">
            <div>It answers no more requests. Its models are kept.</div>
            {configName && (
              <Checkbox checked={configToo} onChange={({ detail }) => setConfigToo(detail.checked)}>
                Delete its configuration {configName} too
              </Checkbox>
            )}
          </SpaceBetween>
        </Confirm>
      )}
    </ContentLayout>
  );
}

/** What the servers wrote; read only while somebody looks at it, for they may write much. */
function Logs({ name }: { name: string }) {
  return <LogView logs={useLogs(`/aws/sagemaker/Endpoints/${name}`, "", true)} name={name} />;
}
