import Button from "@cloudscape-design/components/button";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { JsonEditor } from "../../kit/JsonEditor";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { Entities } from "./Entities";
import { all, deleteHolder, document, type Role } from "./iam";

const TRUST = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { Service: "sagemaker.amazonaws.com" }, Action: "sts:AssumeRole" }] };

/** The roles that jobs and endpoints run as, and that people and programs may take on. */
export default function Roles() {
  useTrail({ text: "Roles" });
  const navigate = useNavigate();
  const notices = useNotices();
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Role[]>();
  const found = usePolling((signal) => all<Role>("ListRoles", "Roles", {}, signal), []);
  return (
    <>
      <Entities
        title="Roles"
        description="What jobs and endpoints may do, and who may act in their place."
        found={found}
        name={(role) => role.RoleName}
        columns={[
          { id: "name", header: "Name", isRowHeader: true, cell: (role) => <To path={below("access", "roles", role.RoleName)}>{role.RoleName}</To> },
          { id: "trusted", header: "Trusted", cell: (role) => trusted(document(role.AssumeRolePolicyDocument)) },
          { id: "description", header: "Description", cell: (role) => role.Description || "-" },
          { id: "created", header: "Created", cell: (role) => <Time at={role.CreateDate} /> },
        ]}
        actions={(selected) => (
          <>
            <Button disabled={selected.length === 0} onClick={() => setDeleting(selected)}>
              Delete
            </Button>
            <Button variant="primary" onClick={() => setCreating(true)}>
              Create role
            </Button>
          </>
        )}
        empty="There are no roles yet"
      />
      {creating && (
        <JsonEditor
          title="Create role"
          name=""
          nameLabel="Name of the role"
          value={TRUST}
          onDismiss={() => setCreating(false)}
          onSave={async (text, name) => {
            await call("iam", "CreateRole", { RoleName: name, AssumeRolePolicyDocument: text });
            notices.succeeded(`The role ${name} exists and may do nothing yet`);
            navigate(below("access", "roles", name));
          }}
        />
      )}
      {deleting && (
        <Confirm
          verb="Delete"
          title={deleting.length === 1 ? "Delete this role?" : `Delete ${deleting.length} roles?`}
          names={deleting.map((role) => role.RoleName)}
          onDismiss={() => setDeleting(undefined)}
          onConfirm={async () => {
            for (const role of deleting) await deleteHolder("Role", role.RoleName);
            notices.succeeded("Deleted");
            found.again();
          }}
        >
          Jobs and endpoints that run as them lose access to their data.
        </Confirm>
      )}
    </>
  );
}

/** Whom a trust policy names. */
export function trusted(policy: unknown): string {
  const statements = (policy as { Statement?: unknown } | null | undefined)?.Statement;
  const names = (Array.isArray(statements) ? statements : [statements]).flatMap((statement) => {
    const principal = (statement as { Principal?: unknown } | undefined)?.Principal;
    if (typeof principal === "string") return [principal];
    return Object.values((principal ?? {}) as Record<string, string | string[]>).flat();
  });
  return [...new Set(names)].join(", ") || "-";
}
