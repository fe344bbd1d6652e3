import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useFrame } from "../../frame/session";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { Failure } from "../../kit/Failure";
import { PageTabs } from "../../kit/PageTabs";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { AccessKeys } from "./AccessKeys";
import { all, deleteUser, type Group, type User as Person } from "./iam";
import { Password } from "./Password";
import { Policies } from "./Policies";
import { Simulator } from "./Simulator";

/** One user: how it signs in, and what it may do. */
export default function User() {
  const { name = "" } = useParams();
  const { session } = useFrame();
  const navigate = useNavigate();
  const notices = useNotices();
  const [deleting, setDeleting] = useState(false);
  useTrail({ text: "Users", to: "/access/users" }, { text: name });
  const found = usePolling(async (signal) => (await call<{ User: Person }>("iam", "GetUser", { UserName: name }, signal)).User, [name]);
  if (found.error && !found.value) return <Failure what={`The user ${name} cannot be shown`} error={found.error} again={found.again} />;
  const user = found.value;
  if (!user) return <Spinner size="large" />;
  const self = user.Arn === session.arn;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <Button disabled={self} {...(self ? { disabledReason: "You cannot delete yourself" } : {})} onClick={() => setDeleting(true)}>
              Delete
            </Button>
          }
        >
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            items={[
              { label: "Created", value: <Time at={user.CreateDate} /> },
              { label: "Last signed in", value: user.PasswordLastUsed ? <Time at={user.PasswordLastUsed} /> : "Never with a password" },
              { label: "Id", value: <Copy text={user.UserId} /> },
              { label: "ARN", value: <Copy text={user.Arn} /> },
            ]}
          />
        </Container>
        <PageTabs
          label="About this user"
          tabs={[
            {
              id: "sign-in",
              label: "Sign-in and keys",
              content: (
                <SpaceBetween size="l">
                  <Password user={name} />
                  <AccessKeys user={name} />
                </SpaceBetween>
              ),
            },
            { id: "groups", label: "Groups", content: <Groups user={name} /> },
            { id: "policies", label: "Policies", content: <Policies kind="User" name={name} /> },
            { id: "simulate", label: "What it may do", content: <Simulator arn={user.Arn} /> },
          ]}
        />
      </SpaceBetween>
      {deleting && (
        <Confirm
          verb="Delete"
          title="Delete this user?"
          names={[name]}
          onDismiss={() => setDeleting(false)}
          onConfirm={async () => {
            await deleteUser(name);
            notices.succeeded("Deleted");
            navigate("/access/users");
          }}
        >
          Its password, access keys and inline policies go with it. What it has made stays.
        </Confirm>
      )}
    </ContentLayout>
  );
}

function Groups({ user }: { user: string }) {
  const notices = useNotices();
  const mine = usePolling((signal) => all<Group>("ListGroupsForUser", "Groups", { UserName: user }, signal), [user]);
  const known = usePolling((signal) => all<Group>("ListGroups", "Groups", {}, signal), []);
  const names = new Set(mine.value?.map((group) => group.GroupName));

  async function change(operation: "AddUserToGroup" | "RemoveUserFromGroup", group: string) {
    try {
      await call("iam", operation, { UserName: user, GroupName: group });
      notices.succeeded(operation === "AddUserToGroup" ? `${user} is in ${group}` : `${user} is no longer in ${group}`);
      mine.again();
    } catch (error) {
      notices.failed("The group was not changed", error);
    }
  }

  if (mine.error && !mine.value) return <Failure what="The groups cannot be shown" error={mine.error} again={mine.again} />;
  return (
    <Table
      header={
        <Header
          variant="h2"
          counter={`(${mine.value?.length ?? 0})`}
          actions={
            <div style={{ width: 260 }}>
              <Select
                selectedOption={null}
                placeholder="Add to a group"
                options={(known.value ?? []).filter((group) => !names.has(group.GroupName)).map((group) => ({ value: group.GroupName, label: group.GroupName }))}
                onChange={({ detail }) => void change("AddUserToGroup", detail.selectedOption.value ?? "")}
                empty="There are no other groups"
                ariaLabel="Add to a group"
                expandToViewport
              />
            </div>
          }
        >
          Groups
        </Header>
      }
      items={mine.value ?? []}
      loading={!mine.value}
      loadingText="Loading"
      columnDefinitions={[
        { id: "name", header: "Name", isRowHeader: true, cell: (group) => <To path={below("access", "groups", group.GroupName)}>{group.GroupName}</To> },
        { id: "arn", header: "ARN", cell: (group) => <Copy text={group.Arn} /> },
        {
          id: "leave",
          header: "Change",
          cell: (group) => (
            <Button variant="inline-link" ariaLabel={`Remove from ${group.GroupName}`} onClick={() => void change("RemoveUserFromGroup", group.GroupName)}>
              Remove
            </Button>
          ),
        },
      ]}
      empty="In no group"
      ariaLabels={{ tableLabel: "Groups" }}
    />
  );
}
