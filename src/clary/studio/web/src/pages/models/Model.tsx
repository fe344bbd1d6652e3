import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useRef, useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { CopyAs } from "../../kit/CopyAs";
import { withoutSecrets } from "../../kit/Environment";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { Loading } from "../../kit/Loading";
import { PageTabs } from "../../kit/PageTabs";
import { RoleLink } from "../../kit/RoleLink";
import { Status } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { Related } from "../explorer/Related";
import { Containers } from "./Containers";
import { deployPath } from "./deployment";
import { transformOf } from "../jobs/transform";
import { type ConfigUses, configsWith, containersOf, describeModel, servedBy } from "./model";

/** How many endpoint configurations are looked into before somebody asks for more. */
const LOOKED_INTO = 500;

/** One model: what it runs, and where it is used. */
export default function Model() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [deleting, setDeleting] = useState(false);
  useTrail({ text: "Models", to: "/models" }, { text: name });
  const described = usePolling((signal) => describeModel(name, signal), [name]);
  const served = usePolling((signal) => servedBy(name, signal), [name], 5000);

  if (described.error && !described.value) return <Failure page={name} what={`The model ${name} cannot be shown`} error={described.error} again={described.again} />;
  const model = described.value;
  if (!model) return <Loading page={name} />;
  const running = served.value ?? [];
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <CopyAs service="sagemaker" operation="DescribeModel" members={{ ModelName: name }} />
              <Button onClick={() => setDeleting(true)}>Delete</Button>
              <Button onClick={() => navigate("/explorer/sagemaker/TransformJob/create", { state: { fill: transformOf(name) } })}>Transform a data set</Button>
              <Button variant="primary" onClick={() => navigate(deployPath({ model: name }))}>
                Deploy
              </Button>
            </SpaceBetween>
          }
        >
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            minColumnWidth={200}
            items={[
              { label: "Created", value: <Time at={model.CreationTime} /> },
              { label: "Network isolation", value: model.EnableNetworkIsolation ? "On: the containers reach no network" : "Off" },
              { label: "Role", value: <RoleLink arn={model.ExecutionRoleArn} /> },
              { label: "ARN", value: <Copy text={model.ModelArn} /> },
            ]}
          />
        </Container>
        <PageTabs
          label={name}
          tabs={[
            { id: "containers", label: "Containers", content: <Containers containers={containersOf(model)} /> },
            { id: "used", label: `Where it is used${served.value ? ` (${running.length})` : ""}`, content: <Used key={name} name={name} served={served} /> },
            {
              id: "configuration",
              label: "Configuration",
              content: (
                <Container>
                  <JsonView value={withoutSecrets(model)} label="the model" />
                </Container>
              ),
            },
            { id: "tags", label: "Tags", content: <Tags arn={model.ModelArn} /> },
            { id: "related", label: "Related", content: <Related arn={model.ModelArn} record={model} /> },
          ]}
        />
      </SpaceBetween>
      {deleting && (
        <Confirm
          verb="Delete"
          title="Delete this model?"
          names={[name]}
          onDismiss={() => setDeleting(false)}
          onConfirm={async () => {
            await call("sagemaker", "DeleteModel", { ModelName: name });
            notices.succeeded("Deleted");
            navigate("/models");
          }}
        >
          <SpaceBetween size="s">
            <div>Its artifacts in S3 are kept.</div>
            {running.length > 0 && (
              <Alert type="warning">
                {running.length === 1 ? "An endpoint serves it" : `${running.length} endpoints serve it`}: {running.map((each) => each.EndpointName).join(", ")}. They go on, but
                cannot start new servers of it.
              </Alert>
            )}
          </SpaceBetween>
        </Confirm>
      )}
    </ContentLayout>
  );
}

function Used({ name, served }: { name: string; served: ReturnType<typeof usePolling<Awaited<ReturnType<typeof servedBy>>>> }) {
  const before = useRef<ConfigUses>(undefined);
  // Asked again, it goes on where it ended.
  const configs = usePolling(async (signal) => (before.current = await configsWith(name, before.current, LOOKED_INTO, signal)), [name]);
  return (
    <SpaceBetween size="l">
      {served.error && !served.value ? (
        <Failure what="The endpoints cannot be listed" error={served.error} again={served.again} />
      ) : (
        <Table
          header={<Header counter={served.value && `(${served.value.length})`}>Endpoints that serve it</Header>}
          items={served.value ?? []}
          loading={!served.value}
          loadingText="Loading"
          columnDefinitions={[
            { id: "name", header: "Name", isRowHeader: true, cell: (row) => <To path={below("endpoints", row.EndpointName)}>{row.EndpointName}</To> },
            { id: "status", header: "Status", cell: (row) => <Status value={row.EndpointStatus} /> },
            { id: "created", header: "Created", cell: (row) => <Time at={row.CreationTime} /> },
          ]}
          empty={<Box textAlign="center">No endpoint serves it</Box>}
          ariaLabels={{ tableLabel: "Endpoints that serve it" }}
        />
      )}
      {configs.error && !configs.value ? (
        <Failure what="The configurations cannot be listed" error={configs.error} again={configs.again} />
      ) : (
        <Table
          header={
            <Header
              counter={configs.value && `(${configs.value.uses.length}${configs.value.next ? "+" : ""})`}
              {...(configs.value?.next
                ? {
                    description: `Among the ${configs.value.looked.toLocaleString()} newest configurations; there are older ones`,
                    actions: (
                      <Button loading={configs.loading} onClick={configs.again}>
                        Look further
                      </Button>
                    ),
                  }
                : {})}
            >
              Endpoint configurations
            </Header>
          }
          items={configs.value?.uses ?? []}
          loading={!configs.value}
          loadingText="Loading"
          columnDefinitions={[
            { id: "name", header: "Name", isRowHeader: true, cell: (row) => <To path={below("endpoint-configs", row.name)}>{row.name}</To> },
            { id: "variants", header: "Variants", cell: (row) => row.variants.join(", ") },
            { id: "created", header: "Created", cell: (row) => <Time at={row.created} /> },
          ]}
          empty={<Box textAlign="center">No configuration names it</Box>}
          ariaLabels={{ tableLabel: "Endpoint configurations" }}
        />
      )}
    </SpaceBetween>
  );
}
