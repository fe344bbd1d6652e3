import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useCallback } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call, type Members } from "../../api/client";
import { useTrail } from "../../frame/trail";
import { shown } from "../../kit/Chart";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { PageTabs } from "../../kit/PageTabs";
import { type SearchColumn, type SearchProperty, SearchTable } from "../../kit/SearchTable";
import { Status } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { duration, Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { lastOf, metricsOf, namesIn, OWN, parametersOf, type Run, sourcePath, titleOf, valueOf } from "./run";

const MOST_SHOWN = 3;
const COLUMN_WIDTH = 150;
const MOST_COMPARED = 12;
const STATUSES = ["InProgress", "Completed", "Failed", "Stopping", "Stopped"];

/** One experiment: its runs, with what they were given and what they reached. */
export default function Experiment() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  useTrail({ text: "Experiments", to: "/experiments" }, { text: name });
  const described = usePolling((signal) => call<Members>("sagemaker", "DescribeExperiment", { ExperimentName: name }, signal), [name]);
  const columns = useCallback((rows: Run[]) => columnsOf(name, rows), [name]);
  if (described.error && !described.value) return <Failure what={`The experiment ${name} cannot be shown`} error={described.error} again={described.again} />;
  const experiment = described.value;
  if (!experiment) return <Spinner size="large" />;
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={String(experiment["Description"] ?? "")}>
          {name}
        </Header>
      }
    >
      <PageTabs
        label="About this experiment"
        tabs={[
          {
            id: "runs",
            label: "Runs",
            content: (
              <SearchTable<Run>
                resource="ExperimentTrialComponent"
                member="TrialComponent"
                fixed={[{ Name: "Parents.ExperimentName", Operator: "Equals", Value: name }]}
                textProperty="DisplayName"
                title="Runs"
                variant="container"
                columns={columns}
                properties={propertiesOf}
                identity={(run) => run.TrialComponentName}
                selection="multi"
                actions={(selected) => (
                  <Button
                    variant="primary"
                    disabled={selected.length < 2 || selected.length > MOST_COMPARED}
                    disabledReason={selected.length < 2 ? "Choose two runs or more" : `Choose at most ${MOST_COMPARED} runs`}
                    onClick={() =>
                      navigate(`${below("experiments", name)}/compare?runs=${selected.map((run) => encodeURIComponent(run.TrialComponentName)).join(",")}`)
                    }
                  >
                    {selected.length > 1 ? `Compare ${selected.length} runs` : "Compare"}
                  </Button>
                )}
                empty={
                  <Box textAlign="center" padding="l" color="text-body-secondary">
                    <SpaceBetween size="xs">
                      <b>No runs yet</b>
                      <span>A run appears when a job names this experiment in its ExperimentConfig, or when a script logs to it.</span>
                    </SpaceBetween>
                  </Box>
                }
              />
            ),
          },
          { id: "tags", label: "Tags", content: <Tags arn={String(experiment["ExperimentArn"])} /> },
          { id: "json", label: "JSON", content: <JsonView value={experiment} /> },
        ]}
      />
    </ContentLayout>
  );
}

function columnsOf(experiment: string, rows: Run[]): SearchColumn<Run>[] {
  const parameters = namesIn(rows, parametersOf);
  const differing = parameters.filter((name) => !OWN.test(name) && new Set(rows.map((run) => valueOf(run.Parameters?.[name]))).size > 1);
  const likely = new Set([...differing, ...parameters.filter((name) => !OWN.test(name))].slice(0, MOST_SHOWN));
  const metrics = namesIn(rows, metricsOf);
  return [
    {
      id: "name",
      label: "Run",
      header: "Run",
      property: "DisplayName",
      isRowHeader: true,
      width: 260,
      cell: (run) => <To path={`${below("experiments", experiment)}${below("runs", run.TrialComponentName)}`}>{titleOf(run)}</To>,
    },
    { id: "status", label: "Status", header: "Status", property: "Status.PrimaryStatus", width: 140, cell: (run) => <Status value={run.Status?.PrimaryStatus} /> },
    ...metrics.map((name, index) => ({
      id: `metric ${name}`,
      label: `Metric ${name}`,
      header: name,
      property: `Metrics.${name}.Last`,
      shown: index < MOST_SHOWN,
      width: COLUMN_WIDTH,
      cell: (run: Run) => shown(lastOf(run, name)),
    })),
    ...parameters.map((name) => ({
      id: `parameter ${name}`,
      label: `Parameter ${name}`,
      header: name,
      property: `Parameters.${name}`,
      shown: likely.has(name),
      width: COLUMN_WIDTH,
      cell: (run: Run) => said(valueOf(run.Parameters?.[name])),
    })),
    {
      id: "source",
      label: "Made by",
      header: "Made by",
      width: 200,
      shown: rows.some((run) => run.Source?.SourceArn),
      cell: (run) => {
        const path = sourcePath(run.Source?.SourceArn);
        return path ? <To path={path}>{decodeURIComponent(path.split("/").pop() ?? "")}</To> : "-";
      },
    },
    { id: "took", label: "Took", header: "Took", shown: false, cell: (run) => duration(run.StartTime && run.EndTime ? run.EndTime - run.StartTime : undefined) },
    { id: "created", label: "Created", header: "Created", property: "CreationTime", cell: (run) => <Time at={run.CreationTime} /> },
  ];
}

function propertiesOf(rows: Run[]): SearchProperty[] {
  const parameters = namesIn(rows, parametersOf);
  return [
    { name: "DisplayName", label: "Run" },
    { name: "Status.PrimaryStatus", label: "Status", options: STATUSES },
    ...namesIn(rows, metricsOf).map((name) => ({ name: `Metrics.${name}.Last`, label: `Metric ${name}`, number: true })),
    ...parameters.map((name) => ({
      name: `Parameters.${name}`,
      label: `Parameter ${name}`,
      number: rows.some((run) => run.Parameters?.[name]?.NumberValue !== undefined),
      options: [...new Set(rows.flatMap((run) => run.Parameters?.[name]?.StringValue ?? []))].slice(0, 20),
    })),
  ];
}

function said(value: string | number | undefined): string {
  return typeof value === "number" ? shown(value) : (value ?? "-");
}
