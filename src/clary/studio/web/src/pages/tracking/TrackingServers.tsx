import Button from "@cloudscape-design/components/button";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { ResourceTable, type Row } from "../../kit/ResourceTable";
import { Status } from "../../kit/Status";
import { Time } from "../../kit/Time";
import { To } from "../../kit/To";

const STATUSES = ["Creating", "Created", "CreateFailed", "Updating", "Updated", "UpdateFailed", "Starting", "Started", "StartFailed", "Stopping", "Stopped", "StopFailed", "Deleting", "DeleteFailed"];
const FILTERS = [{ member: "TrackingServerStatus", options: STATUSES }, { member: "CreatedAfter" }, { member: "CreatedBefore" }, { member: "MlflowVersion" }];
const SORTS = { name: "Name", created: "CreationTime", status: "Status" };
const SERVERS = { nouns: ["tracking server", "tracking servers"] as [string, string] };
const CREATE = "/explorer/sagemaker/MlflowTrackingServer/create";

/** All MLflow tracking servers; MLflow's own pages open beside Studio, under a host name that is theirs alone. */
export default function TrackingServers() {
  useTrail({ text: "MLflow tracking servers" });
  const navigate = useNavigate();
  const notices = useNotices();

  async function open(row: Row) {
    // A window that is opened later, when the answer is there, would be taken for an unwanted one.
    const tab = window.open("about:blank", "_blank");
    try {
      const link = await call<{ AuthorizedUrl: string }>("sagemaker", "CreatePresignedMlflowTrackingServerUrl", { TrackingServerName: name(row) });
      if (tab) {
        tab.opener = null;
        tab.location.replace(link.AuthorizedUrl);
      }
    } catch (error) {
      tab?.close();
      notices.failed(`MLflow of ${name(row)} cannot be opened`, error);
    }
  }

  async function start(row: Row, again: () => void) {
    try {
      await call("sagemaker", "StartMlflowTrackingServer", { TrackingServerName: name(row) });
    } catch (error) {
      notices.failed(`${name(row)} cannot be started`, error);
    }
    again();
  }

  return (
    <ResourceTable
      service="sagemaker"
      operation="ListMlflowTrackingServers"
      rows="TrackingServerSummaries"
      title="MLflow tracking servers"
      description="Runs, metrics and models, kept and compared by MLflow"
      columns={[
        { id: "name", header: "Name", isRowHeader: true, width: 280, cell: (row) => <To path={`/explorer/sagemaker/MlflowTrackingServer/of/${encodeURIComponent(name(row))}`}>{name(row)}</To> },
        { id: "status", header: "Status", width: 150, cell: (row) => <Status value={row["TrackingServerStatus"]} /> },
        { id: "version", header: "MLflow", width: 120, cell: (row) => String(row["MlflowVersion"] ?? "-") },
        { id: "created", header: "Created", minWidth: 120, cell: (row) => <Time at={row["CreationTime"]} /> },
      ]}
      filters={FILTERS}
      sorts={SORTS}
      selection="multi"
      milliseconds={3000}
      bulk={[
        {
          ...SERVERS,
          verb: "Stop",
          name,
          can: active,
          act: (row) => call("sagemaker", "StopMlflowTrackingServer", { TrackingServerName: name(row) }),
          note: "What they have kept stays, and is there again when they are started.",
        },
        {
          ...SERVERS,
          verb: "Delete",
          name,
          act: (row) => call("sagemaker", "DeleteMlflowTrackingServer", { TrackingServerName: name(row) }),
          note: "Their runs and metrics are deleted. Artifacts in S3 are kept.",
        },
      ]}
      actions={(selected, again) => {
        const only = selected.length === 1 ? selected[0] : undefined;
        return (
          <>
            <Button disabled={!only || active(only)} onClick={() => only && void start(only, again)}>
              Start
            </Button>
            <Button disabled={!only || !active(only)} iconName="external" onClick={() => only && void open(only)}>
              Open MLflow
            </Button>
            <Button variant="primary" onClick={() => navigate(CREATE)}>
              Create tracking server
            </Button>
          </>
        );
      }}
    />
  );
}

function name(row: Row): string {
  return String(row["TrackingServerName"]);
}

function active(row: Row): boolean {
  return row["IsActive"] === "Active";
}
