import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";

import { type Affected, type Problem, problems } from "../../api/health";
import { useFrame } from "../../frame/session";
import { useTrail } from "../../frame/trail";
import { Failure } from "../../kit/Failure";
import { words } from "../../kit/Status";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";

const MILLISECONDS = 10_000;
const PAGES: Record<string, string> = {
  TrainingJob: "training-jobs",
  ProcessingJob: "processing-jobs",
  TransformJob: "transform-jobs",
  Endpoint: "endpoints",
};

/** What is wrong, the worst first, and what to do about it. */
export default function Health() {
  useTrail({ text: "Health" });
  const found = usePolling(problems, [], MILLISECONDS);
  if (found.error && !found.value) return <Failure what="The health of Clary cannot be shown" error={found.error} again={found.again} />;
  return (
    <Table
      variant="full-page"
      stickyHeader
      items={found.value ?? []}
      loading={!found.value}
      loadingText="Looking"
      trackBy={(problem) => problem.code + problem.text}
      wrapLines
      columnDefinitions={[
        { id: "severity", header: "Severity", width: 130, cell: (problem) => <Severity of={problem} /> },
        { id: "text", header: "What is wrong", isRowHeader: true, minWidth: 260, cell: (problem) => problem.text },
        { id: "remedy", header: "What to do", minWidth: 260, cell: (problem) => problem.remedy },
        { id: "resources", header: "Resources", minWidth: 180, cell: (problem) => <Resources of={problem} /> },
      ]}
      header={
        <Header
          variant="awsui-h1-sticky"
          description="What is wrong with your work in all regions, and with this installation; looked up again every ten seconds."
          counter={found.value && `(${found.value.length})`}
          actions={<Button iconName="refresh" ariaLabel="Refresh" loading={found.loading} onClick={found.again} />}
        >
          Health
        </Header>
      }
      empty={
        <Box textAlign="center" padding="l">
          <StatusIndicator type="success">Everything works</StatusIndicator>
        </Box>
      }
      ariaLabels={{ tableLabel: "What is wrong" }}
    />
  );
}

function Severity({ of }: { of: Problem }) {
  return <StatusIndicator type={of.severity}>{of.severity === "error" ? "Error" : "Warning"}</StatusIndicator>;
}

function Resources({ of }: { of: Problem }) {
  if (of.resources.length === 0) return <>-</>;
  const more = of.count - of.resources.length;
  return (
    <>
      {of.resources.map((each) => (
        <div key={`${each.kind} ${each.region} ${each.name}`}>
          <Resource of={each} />
        </div>
      ))}
      {more > 0 && <div>and {more} more</div>}
    </>
  );
}

function Resource({ of }: { of: Affected }) {
  const { region } = useFrame();
  const page = PAGES[of.kind];
  // The pages show what the chosen region has.
  if (!page || of.region !== region) return <>{`${words(of.kind)} ${of.name}${of.region === region ? "" : ` in ${of.region}`}`}</>;
  return <To path={below(page, of.name)}>{of.name}</To>;
}
