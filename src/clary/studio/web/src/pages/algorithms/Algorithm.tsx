import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useNavigate, useParams } from "react-router-dom";

import { type Algorithm as Described, algorithms } from "../../api/algorithms";
import { NotFound } from "../../frame/NotFound";
import { useFrame } from "../../frame/session";
import { useTrail } from "../../frame/trail";
import { Better } from "../../kit/Better";
import { Copy } from "../../kit/Copy";
import { CopyAs } from "../../kit/CopyAs";
import { Failure } from "../../kit/Failure";
import { Loading } from "../../kit/Loading";
import { PageTabs } from "../../kit/PageTabs";
import { usePolling } from "../../kit/usePolling";
import { tuningOf } from "../tuning/begin";
import { Hyperparameters } from "./Hyperparameters";
import { trainingWith } from "./train";

/** One built-in algorithm: what it learns, from what, and what can be set. */
export default function Algorithm() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const frame = useFrame();
  const found = usePolling(algorithms, []);
  const algorithm = found.value?.find((each) => each.name === name);
  useTrail({ text: "Built-in algorithms", to: "/algorithms" }, { text: algorithm?.title ?? name });

  if (found.error && !found.value) return <Failure page={name} what={`The algorithm ${name} cannot be shown`} error={found.error} again={found.again} />;
  if (!found.value) return <Loading page={name} />;
  if (!algorithm) return <NotFound />;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description={algorithm.summary}
          actions={
            <div className="clary-actions">
              <CopyAs service="sagemaker" operation="CreateTrainingJob" members={trainingWith(algorithm, frame)} />
              <Button onClick={() => navigate("/tuning-jobs/-/create", { state: { fill: tuningOf(trainingWith(algorithm, frame), algorithm, algorithm.metrics.map((metric) => metric.name)) } })}>Tune it</Button>
              <Button variant="primary" onClick={() => navigate("/explorer/sagemaker/TrainingJob/create", { state: { fill: trainingWith(algorithm, frame) } })}>
                Train with it
              </Button>
            </div>
          }
        >
          {algorithm.title}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            items={[
              { label: "Learns from", value: algorithm.kind },
              { label: algorithm.images.length > 1 ? "Images" : "Image", value: algorithm.images.map((image) => <div key={image}><Copy text={image} /></div>) },
              { label: "Must be set", value: algorithm.hyperparameters.filter((each) => each.required).map((each) => each.name).join(", ") || "Nothing" },
              {
                label: "Documentation",
                value: (
                  <Link external href={algorithm.page} externalIconAriaLabel="Opens in a new tab">
                    Amazon's page
                  </Link>
                ),
              },
            ]}
          />
        </Container>
        <PageTabs
          label="About this algorithm"
          tabs={[
            { id: "hyperparameters", label: "Hyperparameters", content: <Hyperparameters parameters={algorithm.hyperparameters} /> },
            { id: "channels", label: "Channels", content: <ChannelTable algorithm={algorithm} /> },
            { id: "metrics", label: "Metrics", content: <MetricTable algorithm={algorithm} /> },
          ]}
        />
      </SpaceBetween>
    </ContentLayout>
  );
}

function ChannelTable({ algorithm }: { algorithm: Described }) {
  return (
    <Table
      header={<Header counter={`(${algorithm.channels.length})`}>Channels</Header>}
      items={algorithm.channels}
      trackBy="name"
      wrapLines
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, minWidth: 120, cell: (row) => <span className="clary-mono">{row.name}</span> },
        { id: "required", header: "Required", minWidth: 100, cell: (row) => (row.required ? "Yes" : "No") },
        { id: "description", header: "What it holds", minWidth: 280, cell: (row) => row.description },
        { id: "types", header: "Content types", minWidth: 240, cell: (row) => row.content_types.map((type, index) => <div key={type}>{type}{index === 0 && row.content_types.length > 1 && " (if none is given)"}</div>) },
      ]}
      ariaLabels={{ tableLabel: "Channels" }}
    />
  );
}

function MetricTable({ algorithm }: { algorithm: Described }) {
  return (
    <Table
      header={
        <Header counter={`(${algorithm.metrics.length})`} description="Found in the log by themselves; which of them a job has depends on its channels and hyperparameters.">
          Metrics
        </Header>
      }
      items={algorithm.metrics}
      trackBy="name"
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, cell: (row) => <span className="clary-mono">{row.name}</span> },
        { id: "better", header: "Better", cell: (row) => <Better direction={row.direction} /> },
      ]}
      ariaLabels={{ tableLabel: "Metrics" }}
    />
  );
}
