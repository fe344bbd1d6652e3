import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { Failure } from "../../kit/Failure";
import { JsonEditor } from "../../kit/JsonEditor";
import { JsonView } from "../../kit/JsonView";
import { PageTabs } from "../../kit/PageTabs";
import { duration, Time } from "../../kit/Time";
import { usePolling } from "../../kit/usePolling";
import { deleteHolder, document, type Role as Holder } from "./iam";
import { Policies } from "./Policies";
import { trusted } from "./Roles";
import { Simulator } from "./Simulator";

/** One role: who may take it on, and what it may do. */
export default function Role() {
  const { name = "" } = useParams();
  const navigate = useNavigate();
  const notices = useNotices();
  const [deleting, setDeleting] = useState(false);
  const [editing, setEditing] = useState(false);
  useTrail({ text: "Roles", to: "/access/roles" }, { text: name });
  const found = usePolling(async (signal) => (await call<{ Role: Holder }>("iam", "GetRole", { RoleName: name }, signal)).Role, [name]);
  if (found.error && !found.value) return <Failure what={`The role ${name} cannot be shown`} error={found.error} again={found.again} />;
  const role = found.value;
  if (!role) return <Spinner size="large" />;
  const trust = document(role.AssumeRolePolicyDocument);
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={role.Description ?? ""} actions={<Button onClick={() => setDeleting(true)}>Delete</Button>}>
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs
            columns={4}
            items={[
              { label: "Trusted", value: trusted(trust) },
              { label: "Longest session", value: duration(role.MaxSessionDuration) },
              { label: "Created", value: <Time at={role.CreateDate} /> },
              { label: "ARN", value: <Copy text={role.Arn} /> },
            ]}
          />
        </Container>
        <PageTabs
          label="About this role"
          tabs={[
            { id: "policies", label: "Policies", content: <Policies kind="Role" name={name} /> },
            {
              id: "trust",
              label: "Trust",
              content: (
                <Container header={<Header actions={<Button onClick={() => setEditing(true)}>Edit trust policy</Button>}>Trust policy</Header>}>
                  <SpaceBetween size="s">
                    <Box color="text-body-secondary">Who may take on this role.</Box>
                    <JsonView value={trust} label="trust policy" />
                  </SpaceBetween>
                </Container>
              ),
            },
            { id: "simulate", label: "What it may do", content: <Simulator arn={role.Arn} /> },
          ]}
        />
      </SpaceBetween>
      {editing && (
        <JsonEditor
          title="Edit trust policy"
          value={trust}
          onDismiss={() => setEditing(false)}
          onSave={async (text) => {
            await call("iam", "UpdateAssumeRolePolicy", { RoleName: name, PolicyDocument: text });
            notices.succeeded("The trust policy is saved");
            found.again();
          }}
        />
      )}
      {deleting && (
        <Confirm
          verb="Delete"
          title="Delete this role?"
          names={[name]}
          onDismiss={() => setDeleting(false)}
          onConfirm={async () => {
            await deleteHolder("Role", name);
            notices.succeeded("Deleted");
            navigate("/access/roles");
          }}
        >
          Jobs and endpoints that run as it lose access to their data.
        </Confirm>
      )}
    </ContentLayout>
  );
}
