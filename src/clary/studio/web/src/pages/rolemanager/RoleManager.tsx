import Button from "@cloudscape-design/components/button";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { catalog } from "../../api/roleManager";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { Entities } from "../access/Entities";
import { all, type Role } from "../access/iam";
import { deleteMade } from "./make";

/** The roles that were made for personas and activities. */
export default function RoleManager() {
  useTrail({ text: "Role manager" });
  const navigate = useNavigate();
  const notices = useNotices();
  const [deleting, setDeleting] = useState<Role[]>();
  const found = usePolling(async (signal) => {
    const { RoleNamePrefix } = await catalog();
    return (await all<Role>("ListRoles", "Roles", {}, signal)).filter((role) => role.RoleName.startsWith(RoleNamePrefix));
  }, []);
  return (
    <>
      <Entities
        title="Role manager"
        description="Roles for personas and ML activities, which may do no more than those need."
        found={found}
        name={(role) => role.RoleName}
        columns={[
          { id: "name", header: "Name", isRowHeader: true, cell: (role) => <To path={below("access", "roles", role.RoleName)}>{role.RoleName}</To> },
          { id: "description", header: "Description", cell: (role) => role.Description || "-" },
          { id: "arn", header: "ARN", cell: (role) => <Copy text={role.Arn} /> },
          { id: "created", header: "Created", cell: (role) => <Time at={role.CreateDate} /> },
        ]}
        actions={(selected) => (
          <>
            <Button disabled={selected.length === 0} onClick={() => setDeleting(selected)}>
              Delete
            </Button>
            <Button variant="primary" onClick={() => navigate("/role-manager/create")}>
              Create role
            </Button>
          </>
        )}
        empty="No role has been made here yet"
      />
      {deleting && (
        <Confirm
          verb="Delete"
          title={deleting.length === 1 ? "Delete this role?" : `Delete ${deleting.length} roles?`}
          names={deleting.map((role) => role.RoleName)}
          onDismiss={() => setDeleting(undefined)}
          onConfirm={async () => {
            for (const role of deleting) await deleteMade(role.RoleName);
            notices.succeeded("Deleted");
            found.again();
          }}
        >
          The policies that were made for them go too. Jobs and endpoints that run as them lose access to their data.
        </Confirm>
      )}
    </>
  );
}
