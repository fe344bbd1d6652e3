import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";

import { call, type Members } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { Failure } from "../../kit/Failure";
import { JsonEditor } from "../../kit/JsonEditor";
import { JsonView } from "../../kit/JsonView";
import { usePolling } from "../../kit/usePolling";
import { all, document, type Kind } from "./iam";

interface Attached {
  PolicyName: string;
  PolicyArn: string;
}

interface Inline {
  name: string;
  document: unknown;
}

const NEW = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: ["sagemaker:Describe*", "sagemaker:List*"], Resource: "*" }] };

/** The managed and the inline policies of a user, a role or a group, to read, to give and to take away. */
export function Policies({ kind, name }: { kind: Kind; name: string }) {
  const notices = useNotices();
  const holder: Members = { [`${kind}Name`]: name };
  const [edited, setEdited] = useState<{ policy: Inline; isNew: boolean }>();
  const [removed, setRemoved] = useState<Inline>();
  const [detached, setDetached] = useState<Attached>();
  const attached = usePolling((signal) => all<Attached>(`ListAttached${kind}Policies`, "AttachedPolicies", holder, signal), [kind, name]);
  const inline = usePolling(
    async (signal) => {
      const names = await all<string>(`List${kind}Policies`, "PolicyNames", holder, signal);
      return Promise.all(
        names.map(async (policy): Promise<Inline> => {
          const found = await call<Members>("iam", `Get${kind}Policy`, { ...holder, PolicyName: policy }, signal);
          return { name: policy, document: document(found["PolicyDocument"]) };
        }),
      );
    },
    [kind, name],
  );

  async function attach(arn: string) {
    try {
      await call("iam", `Attach${kind}Policy`, { ...holder, PolicyArn: arn });
      notices.succeeded("Attached");
      attached.again();
    } catch (error) {
      notices.failed("The policy was not attached", error);
    }
  }

  if (attached.error && !attached.value) return <Failure what="The policies cannot be shown" error={attached.error} again={attached.again} />;
  if (inline.error && !inline.value) return <Failure what="The policies cannot be shown" error={inline.error} again={inline.again} />;
  return (
    <SpaceBetween size="l">
      <Table
        header={
          <Header variant="h2" counter={`(${attached.value?.length ?? 0})`} actions={<Attach held={attached.value ?? []} onAttach={(arn) => void attach(arn)} />}>
            Managed policies
          </Header>
        }
        items={attached.value ?? []}
        loading={!attached.value}
        loadingText="Loading"
        wrapLines
        columnDefinitions={[
          { id: "name", header: "Name", isRowHeader: true, cell: (policy) => policy.PolicyName },
          { id: "arn", header: "ARN", minWidth: 240, cell: (policy) => <Copy text={policy.PolicyArn} /> },
          { id: "document", header: "Document", cell: (policy) => <Managed arn={policy.PolicyArn} /> },
          {
            id: "detach",
            header: "Change",
            minWidth: 90,
            cell: (policy) => (
              <Button variant="inline-link" ariaLabel={`Detach ${policy.PolicyName}`} onClick={() => setDetached(policy)}>
                Detach
              </Button>
            ),
          },
        ]}
        empty={<Box color="text-body-secondary">No managed policies are attached</Box>}
        ariaLabels={{ tableLabel: "Managed policies" }}
      />
      <Table
        header={
          <Header
            variant="h2"
            counter={`(${inline.value?.length ?? 0})`}
            actions={<Button onClick={() => setEdited({ policy: { name: "", document: NEW }, isNew: true })}>Add inline policy</Button>}
          >
            Inline policies
          </Header>
        }
        items={inline.value ?? []}
        loading={!inline.value}
        loadingText="Loading"
        wrapLines
        columnDefinitions={[
          { id: "name", header: "Name", isRowHeader: true, cell: (policy) => policy.name },
          {
            id: "document",
            header: "Document",
            cell: (policy) => (
              <ExpandableSection headerText="Show" headerAriaLabel={`Show ${policy.name}`}>
                <JsonView value={policy.document} label={`document of ${policy.name}`} />
              </ExpandableSection>
            ),
          },
          {
            id: "actions",
            header: "Change",
            cell: (policy) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" ariaLabel={`Edit ${policy.name}`} onClick={() => setEdited({ policy, isNew: false })}>
                  Edit
                </Button>
                <Button variant="inline-link" ariaLabel={`Delete ${policy.name}`} onClick={() => setRemoved(policy)}>
                  Delete
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={<Box color="text-body-secondary">No inline policies</Box>}
        ariaLabels={{ tableLabel: "Inline policies" }}
      />
      {edited && (
        <JsonEditor
          title={edited.isNew ? "Add inline policy" : `Edit ${edited.policy.name}`}
          value={edited.policy.document}
          {...(edited.isNew ? { name: "", nameLabel: "Name of the policy" } : {})}
          onDismiss={() => setEdited(undefined)}
          onSave={async (text, called) => {
            await call("iam", `Put${kind}Policy`, { ...holder, PolicyName: edited.isNew ? called : edited.policy.name, PolicyDocument: text });
            notices.succeeded("The policy is saved");
            inline.again();
          }}
        />
      )}
      {removed && (
        <Confirm
          verb="Delete"
          title="Delete this inline policy?"
          names={[removed.name]}
          onDismiss={() => setRemoved(undefined)}
          onConfirm={async () => {
            await call("iam", `Delete${kind}Policy`, { ...holder, PolicyName: removed.name });
            notices.succeeded("Deleted");
            inline.again();
          }}
        />
      )}
      {detached && (
        <Confirm
          verb="Detach"
          title="Detach this policy?"
          names={[detached.PolicyName]}
          onDismiss={() => setDetached(undefined)}
          onConfirm={async () => {
            await call("iam", `Detach${kind}Policy`, { ...holder, PolicyArn: detached.PolicyArn });
            notices.succeeded("Detached");
            attached.again();
          }}
        >
          {name} loses what it allows, at once.
        </Confirm>
      )}
    </SpaceBetween>
  );
}

/** Chooses a managed policy that is not held yet. */
function Attach({ held, onAttach }: { held: Attached[]; onAttach: (arn: string) => void }) {
  const policies = usePolling((signal) => all<{ PolicyName: string; Arn: string; Description?: string }>("ListPolicies", "Policies", { MaxItems: 1000 }, signal), []);
  const taken = new Set(held.map((policy) => policy.PolicyArn));
  return (
    <div style={{ width: 320 }}>
      <Select
        selectedOption={null}
        placeholder="Attach a managed policy"
        options={(policies.value ?? [])
          .filter((policy) => !taken.has(policy.Arn))
          .sort((a, b) => a.PolicyName.localeCompare(b.PolicyName))
          .map((policy) => ({ value: policy.Arn, label: policy.PolicyName, description: policy.Arn.includes("::aws:") ? "Managed by AWS" : "Your own" }))}
        onChange={({ detail }) => onAttach(detail.selectedOption.value ?? "")}
        statusType={policies.error ? "error" : policies.value ? "finished" : "loading"}
        loadingText="Loading"
        errorText="The policies cannot be listed"
        filteringType="auto"
        filteringAriaLabel="Find a policy"
        virtualScroll
        expandToViewport
        ariaLabel="Attach a managed policy"
      />
    </div>
  );
}

/** The document of a managed policy, read when somebody opens it. */
function Managed({ arn }: { arn: string }) {
  const [open, setOpen] = useState(false);
  return (
    <ExpandableSection headerText="Show" headerAriaLabel={`Show ${arn.split("/").pop() ?? arn}`} expanded={open} onChange={({ detail }) => setOpen(detail.expanded)}>
      {open && <Document arn={arn} />}
    </ExpandableSection>
  );
}

function Document({ arn }: { arn: string }) {
  const found = usePolling(
    async (signal) => {
      const { Policy } = await call<{ Policy: { DefaultVersionId: string } }>("iam", "GetPolicy", { PolicyArn: arn }, signal);
      const { PolicyVersion } = await call<{ PolicyVersion: { Document: unknown } }>("iam", "GetPolicyVersion", { PolicyArn: arn, VersionId: Policy.DefaultVersionId }, signal);
      return document(PolicyVersion.Document);
    },
    [arn],
  );
  if (found.error) return <Failure what="The document cannot be shown" error={found.error} again={found.again} />;
  return found.value === undefined ? <>…</> : <JsonView value={found.value} label={`document of ${arn.split("/").pop() ?? arn}`} />;
}
