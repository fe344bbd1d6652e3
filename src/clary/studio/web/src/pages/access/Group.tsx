import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { Failure } from "../../kit/Failure";
import { PageTabs } from "../../kit/PageTabs";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { deleteHolder, type Group as Holder, type User } from "./iam";
import { Policies } from "./Policies";

/** One group: who is in it, and what it allows them. */
export default function Group() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [deleting, setDeleting] = useState(false);
  useTrail({ text: "Users", to: "/access/users" }, { text: "Groups", to: "/access/users?tab=groups" }, { text: name });
  const found = usePolling((signal) => call<{ Group: Holder; Users: User[] }>("iam", "GetGroup", { GroupName: name }, signal), [name]);
  if (found.error && !found.value) return <Failure what={`The group ${name} cannot be shown`} error={found.error} again={found.again} />;
  if (!found.value) return <Spinner size="large" />;
  const { Group: group, Users: users } = found.value;
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={<Copy text={group.Arn} />} actions={<Button onClick={() => setDeleting(true)}>Delete</Button>}>
          {name}
        </Header>
      }
    >
      <PageTabs
        label="About this group"
        tabs={[
          { id: "policies", label: "Policies", content: <Policies kind="Group" name={name} /> },
          {
            id: "users",
            label: "Users",
            content: (
              <Table
                header={<Header counter={`(${users.length})`}>Users</Header>}
                items={users}
                columnDefinitions={[
                  { id: "name", header: "Name", isRowHeader: true, cell: (user) => <To path={below("access", "users", user.UserName)}>{user.UserName}</To> },
                  { id: "arn", header: "ARN", cell: (user) => <Copy text={user.Arn} /> },
                ]}
                empty="Nobody is in this group; a user's page adds it"
                ariaLabels={{ tableLabel: "Users" }}
              />
            ),
          },
        ]}
      />
      {deleting && (
        <Confirm
          verb="Delete"
          title="Delete this group?"
          names={[name]}
          onDismiss={() => setDeleting(false)}
          onConfirm={async () => {
            await deleteHolder("Group", name);
            notices.succeeded("Deleted");
            navigate("/access/users?tab=groups");
          }}
        >
          Its users stay, and lose what it allowed.
        </Confirm>
      )}
    </ContentLayout>
  );
}
