import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
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
import { PageTabs } from "../../kit/PageTabs";
import { Status } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { describeConfig, endpointsOf } from "./endpoint";
import { Variants } from "./Variants";

/** One endpoint configuration, and the endpoints that serve it. */
export default function Config() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [deleting, setDeleting] = useState(false);
  useTrail({ text: "Endpoint configurations", to: "/endpoint-configs" }, { text: name });
  const described = usePolling((signal) => describeConfig(name, signal), [name]);
  const users = usePolling((signal) => endpointsOf(name, signal), [name], 5000);

  if (described.error && !described.value) return <Failure page={name} what={`The configuration ${name} cannot be shown`} error={described.error} again={described.again} />;
  const config = described.value;
  if (!config) return <Loading page={name} />;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <CopyAs service="sagemaker" operation="DescribeEndpointConfig" members={{ EndpointConfigName: name }} />
              <Button onClick={() => setDeleting(true)}>Delete</Button>
              <Button variant="primary" onClick={() => navigate("/explorer/sagemaker/Endpoint/create", { state: { fill: { EndpointName: name, EndpointConfigName: name } } })}>
                Create endpoint
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
            columns={3}
            minColumnWidth={200}
            items={[
              { label: "Created", value: <Time at={config.CreationTime} /> },
              { label: "Data capture", value: (config["DataCaptureConfig"] as { EnableCapture?: boolean } | undefined)?.EnableCapture ? "On" : "Off" },
              { label: "ARN", value: <Copy text={config.EndpointConfigArn} /> },
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
                  <Variants summaries={[]} config={config} loading={false} />
                  {users.error && !users.value ? (
                    <Failure what="The endpoints cannot be listed" error={users.error} again={users.again} />
                  ) : (
                    <Table
                      header={<Header counter={users.value && `(${users.value.length})`}>Endpoints that serve it</Header>}
                      items={users.value ?? []}
                      loading={!users.value}
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
                </SpaceBetween>
              ),
            },
            {
              id: "configuration",
              label: "Configuration",
              content: (
                <Container>
                  <JsonView value={config} label="the configuration" />
                </Container>
              ),
            },
            { id: "tags", label: "Tags", content: <Tags arn={config.EndpointConfigArn} /> },
          ]}
        />
      </SpaceBetween>
      {deleting && (
        <Confirm
          verb="Delete"
          title="Delete this configuration?"
          names={[name]}
          onDismiss={() => setDeleting(false)}
          onConfirm={async () => {
            await call("sagemaker", "DeleteEndpointConfig", { EndpointConfigName: name });
            notices.succeeded("Deleted");
            navigate("/endpoint-configs");
          }}
        >
          Endpoints that serve it go on, but cannot be created again from it.
        </Confirm>
      )}
    </ContentLayout>
  );
}
