import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useFrame } from "../../frame/session";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { NameDialog } from "../../kit/NameDialog";
import { PageTabs } from "../../kit/PageTabs";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { Entities } from "./Entities";
import { all, deleteHolder, deleteUser, type Group, type User } from "./iam";

/** The people of the account, and the groups that they are in. */
export default function Users() {
  useTrail({ text: "Users" });
  return (
    <ContentLayout header={<Header variant="h1" description="Who may sign in to Studio or use access keys, and what each may do.">Users</Header>}>
      <PageTabs
        label="Users and groups"
        tabs={[
          { id: "users", label: "Users", content: <AllUsers /> },
          { id: "groups", label: "Groups", content: <AllGroups /> },
        ]}
      />
    </ContentLayout>
  );
}

function AllUsers() {
  const { session } = useFrame();
  const navigate = useNavigate();
  const notices = useNotices();
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<User[]>();
  const found = usePolling((signal) => all<User>("ListUsers", "Users", {}, signal), []);
  return (
    <>
      <Entities
        title="Users"
        variant="container"
        found={found}
        name={(user) => user.UserName}
        columns={[
          { id: "name", header: "Name", isRowHeader: true, cell: (user) => <To path={below("access", "users", user.UserName)}>{user.UserName}</To> },
          { id: "used", header: "Last signed in", cell: (user) => (user.PasswordLastUsed ? <Time at={user.PasswordLastUsed} /> : "Never with a password") },
          { id: "created", header: "Created", cell: (user) => <Time at={user.CreateDate} /> },
        ]}
        actions={(selected) => (
          <>
            <Button
              disabled={selected.length === 0 || selected.some((user) => user.Arn === session.arn)}
              {...(selected.some((user) => user.Arn === session.arn) ? { disabledReason: "You cannot delete yourself" } : {})}
              onClick={() => setDeleting(selected)}
            >
              Delete
            </Button>
            <Button variant="primary" onClick={() => setCreating(true)}>
              Create user
            </Button>
          </>
        )}
        empty="There are no users yet"
      />
      {creating && (
        <NameDialog
          title="Create user"
          verb="Create"
          constraint="Letters, digits and + = , . @ _ -, at most 64"
          onDismiss={() => setCreating(false)}
          onSave={async (name) => {
            await call("iam", "CreateUser", { UserName: name });
            notices.succeeded(`${name} exists and may do nothing yet`);
            navigate(below("access", "users", name));
          }}
        />
      )}
      {deleting && (
        <Confirm
          verb="Delete"
          title={deleting.length === 1 ? "Delete this user?" : `Delete ${deleting.length} users?`}
          names={deleting.map((user) => user.UserName)}
          onDismiss={() => setDeleting(undefined)}
          onConfirm={async () => {
            for (const user of deleting) await deleteUser(user.UserName);
            notices.succeeded("Deleted");
            found.again();
          }}
        >
          Passwords, access keys and inline policies go with them. What they have made stays.
        </Confirm>
      )}
    </>
  );
}

function AllGroups() {
  const navigate = useNavigate();
  const notices = useNotices();
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Group[]>();
  const found = usePolling((signal) => all<Group>("ListGroups", "Groups", {}, signal), []);
  return (
    <>
      <Entities
        title="Groups"
        variant="container"
        found={found}
        name={(group) => group.GroupName}
        columns={[
          { id: "name", header: "Name", isRowHeader: true, cell: (group) => <To path={below("access", "groups", group.GroupName)}>{group.GroupName}</To> },
          { id: "created", header: "Created", cell: (group) => <Time at={group.CreateDate} /> },
        ]}
        actions={(selected) => (
          <>
            <Button disabled={selected.length === 0} onClick={() => setDeleting(selected)}>
              Delete
            </Button>
            <Button variant="primary" onClick={() => setCreating(true)}>
              Create group
            </Button>
          </>
        )}
        empty="There are no groups yet: a group gives the same policies to all of its users"
      />
      {creating && (
        <NameDialog
          title="Create group"
          verb="Create"
          constraint="Letters, digits and + = , . @ _ -, at most 128"
          onDismiss={() => setCreating(false)}
          onSave={async (name) => {
            await call("iam", "CreateGroup", { GroupName: name });
            notices.succeeded(`The group ${name} exists`);
            navigate(below("access", "groups", name));
          }}
        />
      )}
      {deleting && (
        <Confirm
          verb="Delete"
          title={deleting.length === 1 ? "Delete this group?" : `Delete ${deleting.length} groups?`}
          names={deleting.map((group) => group.GroupName)}
          onDismiss={() => setDeleting(undefined)}
          onConfirm={async () => {
            for (const group of deleting) await deleteHolder("Group", group.GroupName);
            notices.succeeded("Deleted");
            found.again();
          }}
        >
          Their users stay, and lose what the groups allowed.
        </Confirm>
      )}
    </>
  );
}
