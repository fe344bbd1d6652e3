import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";

import { Chart, shown } from "../../kit/Chart";
import { JsonView } from "../../kit/JsonView";
import { S3Link } from "../../kit/S3Link";
import { ConfusionMatrix } from "./ConfusionMatrix";
import { type Evaluation, evaluationOf } from "./evaluation";
import { metricName, type MetricsFile } from "./metrics";

/** What the files of a version tell of how good it is. */
export function MetricsView({ files, what }: { files: MetricsFile[] | undefined; what: string }) {
  if (!files) return <Spinner size="large" />;
  if (files.length === 0) {
    return (
      <Box textAlign="center" color="text-body-secondary" padding="l">
        This version has no {what}
      </Box>
    );
  }
  return (
    <SpaceBetween size="l">
      {files.map((file) => (
        <Container key={file.id} header={<Header description={<S3Link uri={file.source.S3Uri} />}>{file.title}</Header>}>
          {file.problem ? (
            <Alert type="warning" header="The file cannot be read">
              {file.problem}
            </Alert>
          ) : (
            <Content content={file.content} />
          )}
        </Container>
      ))}
    </SpaceBetween>
  );
}

const HALF = { colspan: { default: 12, s: 6 } };

function Content({ content }: { content: unknown }) {
  const found = evaluationOf(content);
  const parts = [
    found.values.length > 0 && <Values key="values" found={found} />,
    found.confusion && <ConfusionMatrix key="confusion" matrix={found.confusion} />,
    found.importance.length > 0 && <Importance key="importance" found={found} />,
    found.limits.length > 0 && <Limits key="limits" found={found} />,
    ...found.curves.map((curve) => (
      <Chart key={curve.title} title={curve.title} x="number" xName={curve.xName} yName={curve.yName} between={[0, 1]} fromZero series={curve.series} />
    )),
  ].filter(Boolean);
  const json = <JsonView value={content} label="the file" />;
  if (parts.length === 0) return json;
  return (
    <SpaceBetween size="l">
      <Grid gridDefinition={parts.map(() => (parts.length === 1 ? { colspan: 12 } : HALF))}>{parts}</Grid>
      <ExpandableSection headerText="The file">{json}</ExpandableSection>
    </SpaceBetween>
  );
}

function Values({ found }: { found: Evaluation }) {
  const deviations = found.values.some((row) => row.deviation !== undefined);
  return (
    <Table
      variant="borderless"
      header={<Header variant="h3">Metrics</Header>}
      items={found.values}
      columnDefinitions={[
        { id: "name", header: "Metric", isRowHeader: true, cell: (row) => metricName(row.name) },
        { id: "value", header: "Value", cell: (row) => shown(row.value) },
        ...(deviations ? [{ id: "deviation", header: "Standard deviation", cell: (row: Evaluation["values"][number]) => shown(row.deviation) }] : []),
      ]}
      ariaLabels={{ tableLabel: "Metrics" }}
    />
  );
}

function Limits({ found }: { found: Evaluation }) {
  return (
    <Table
      variant="borderless"
      header={<Header variant="h3">Limits</Header>}
      items={found.limits}
      columnDefinitions={[
        { id: "name", header: "Metric", isRowHeader: true, cell: (row) => metricName(row.name) },
        { id: "limit", header: "Is a violation", cell: (row) => `${row.comparison} ${shown(row.threshold)}` },
      ]}
      ariaLabels={{ tableLabel: "Limits" }}
    />
  );
}

function Importance({ found }: { found: Evaluation }) {
  const most = Math.max(...found.importance.map((row) => Math.abs(row.value)), Number.MIN_VALUE);
  return (
    <Table
      variant="borderless"
      header={
        <Header variant="h3" description="The mean absolute SHAP value of each feature">
          Importance of features
        </Header>
      }
      items={found.importance}
      columnDefinitions={[
        { id: "name", header: "Feature", isRowHeader: true, width: 200, cell: (row) => row.name },
        { id: "value", header: "Value", width: 100, cell: (row) => shown(row.value) },
        { id: "bar", header: "Compared", cell: (row) => <div className="clary-bar" style={{ width: `${(100 * Math.abs(row.value)) / most}%` }} /> },
      ]}
      ariaLabels={{ tableLabel: "Importance of features" }}
    />
  );
}
