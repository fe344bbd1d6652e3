import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useEffect, useState } from "react";

import { useFrame } from "../../frame/session";
import { useTrail } from "../../frame/trail";
import { Failure } from "../../kit/Failure";
import { oneLine } from "../../kit/reason";
import { Status } from "../../kit/Status";
import { duration, Time } from "../../kit/Time";
import { To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { type Count, counts, overview, reasonOf, type Work } from "./overview";
import { HealthBanner } from "./HealthBanner";
import { QuickStarts } from "./QuickStarts";

const OVERVIEW_MILLISECONDS = 3000;
const COUNTS_MILLISECONDS = 20_000;

/** What runs, what failed, and how to begin. */
export default function Home() {
  useTrail({ text: "Home" });
  const { session, region } = useFrame();
  const work = usePolling(overview, [], OVERVIEW_MILLISECONDS);
  const totals = usePolling(counts, [], COUNTS_MILLISECONDS);

  if (work.error && !work.value) return <Failure what="Your work cannot be shown" error={work.error} again={work.again} />;
  const found = work.value;
  const isNew = found?.recent.length === 0;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          description={`${session.name} · account ${session.account} · ${region}`}
          actions={
            <Button
              iconName="refresh"
              ariaLabel="Refresh"
              onClick={() => {
                work.again();
                totals.again();
              }}
            />
          }
        >
          Home
        </Header>
      }
    >
      {!found ? (
        <Spinner size="large" />
      ) : isNew ? (
        <SpaceBetween size="l">
          <QuickStarts trained={found.trained} wide />
          <Counts counts={totals.value} />
          <Container header={<Header variant="h2">What you will see here</Header>}>
            <ColumnLayout columns={3} variant="text-grid">
              <Explained title="Running now">Jobs and endpoints on their way, with their stage and the time they have taken.</Explained>
              <Explained title="Failed lately">What went wrong within a week, each with its reason in one line.</Explained>
              <Explained title="Recent work">The newest jobs and endpoints, whoever made them: here, with an SDK or with the CLI.</Explained>
            </ColumnLayout>
          </Container>
        </SpaceBetween>
      ) : (
        <SpaceBetween size="l">
          <HealthBanner />
          <Counts counts={totals.value} />
          <Grid gridDefinition={[{ colspan: { default: 12, m: 8 } }, { colspan: { default: 12, m: 4 } }]}>
            <SpaceBetween size="l">
              <Running work={found.running} />
              <Failed work={found.failed} />
              <Recent work={found.recent} />
            </SpaceBetween>
            <QuickStarts trained={found.trained} wide={false} />
          </Grid>
        </SpaceBetween>
      )}
    </ContentLayout>
  );
}

function Counts({ counts: shown }: { counts: Count[] | undefined }) {
  return (
    <Container>
      <ColumnLayout columns={6} variant="text-grid" minColumnWidth={110}>
        {(shown ?? []).map(({ title, path, count }) => (
          <div key={title}>
            <Box variant="awsui-key-label">{title}</Box>
            <To path={path} fontSize="display-l" ariaLabel={`${count ?? "No"} ${title.toLowerCase()}`}>
              {count === undefined ? "-" : count.toLocaleString()}
            </To>
          </div>
        ))}
        {!shown && <Spinner />}
      </ColumnLayout>
    </Container>
  );
}

function Running({ work }: { work: Work[] }) {
  const now = useClock(work.length > 0);
  return (
    <Table
      header={
        <Header variant="h2" counter={`(${work.length})`}>
          Running now
        </Header>
      }
      items={work}
      trackBy="path"
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, cell: (row) => <To path={row.path}>{row.name}</To> },
        { id: "kind", header: "Kind", cell: (row) => row.kind },
        { id: "status", header: "Stage", cell: (row) => <Status value={row.stage || row.status} /> },
        { id: "elapsed", header: "For", cell: (row) => duration(now - (row.kind === "Endpoint" && row.status !== "Creating" ? row.changed : row.created)) },
      ]}
      empty={<Quiet>Nothing runs at the moment</Quiet>}
      ariaLabels={{ tableLabel: "Running now" }}
    />
  );
}

function Failed({ work }: { work: Work[] }) {
  if (work.length === 0) return null;
  return (
    <Table
      header={
        <Header variant="h2" counter={`(${work.length})`} description="Within the last week">
          Failed lately
        </Header>
      }
      items={work}
      trackBy="path"
      wrapLines
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, minWidth: 150, cell: (row) => <To path={row.path}>{row.name}</To> },
        { id: "kind", header: "Kind", cell: (row) => <span className="clary-keep">{row.kind}</span> },
        { id: "reason", header: "Reason", maxWidth: 320, cell: (row) => <Reason work={row} /> },
        { id: "when", header: "When", cell: (row) => <span className="clary-keep"><Time at={row.changed} /></span> },
      ]}
      ariaLabels={{ tableLabel: "Failed lately" }}
    />
  );
}

function Reason({ work }: { work: Work }) {
  const reason = usePolling((signal) => reasonOf(work, signal), [work.path, work.changed]);
  const text = oneLine(reason.value);
  return (
    <span className="clary-one-line" title={text}>
      {text || (reason.loading ? "…" : "-")}
    </span>
  );
}

function Recent({ work }: { work: Work[] }) {
  return (
    <Table
      header={<Header variant="h2">Recent work</Header>}
      items={work}
      trackBy="path"
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, cell: (row) => <To path={row.path}>{row.name}</To> },
        { id: "kind", header: "Kind", cell: (row) => row.kind },
        { id: "status", header: "Status", cell: (row) => <Status value={row.status} /> },
        { id: "when", header: "Created", cell: (row) => <Time at={row.created} /> },
      ]}
      ariaLabels={{ tableLabel: "Recent work" }}
    />
  );
}

function Explained({ title, children }: { title: string; children: string }) {
  return (
    <div>
      <Box variant="h3">{title}</Box>
      <Box variant="p" color="text-body-secondary">
        {children}
      </Box>
    </div>
  );
}

function Quiet({ children }: { children: string }) {
  return (
    <Box textAlign="center" color="text-body-secondary">
      {children}
    </Box>
  );
}

/** The time in seconds, each second anew while something runs. */
function useClock(running: boolean): number {
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}
