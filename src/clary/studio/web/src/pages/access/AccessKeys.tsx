import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { Failure } from "../../kit/Failure";
import { Status } from "../../kit/Status";
import { Time } from "../../kit/Time";
import { usePolling } from "../../kit/usePolling";
import { all } from "./iam";

interface Key {
  AccessKeyId: string;
  Status: "Active" | "Inactive";
  CreateDate: number;
}

const MOST_KEYS = 2;

/** The access keys of a user, for SDKs and the CLI. */
export function AccessKeys({ user }: { user: string }) {
  const notices = useNotices();
  const [made, setMade] = useState<{ AccessKeyId: string; SecretAccessKey: string }>();
  const [deleted, setDeleted] = useState<Key>();
  const [busy, setBusy] = useState(false);
  const keys = usePolling((signal) => all<Key>("ListAccessKeys", "AccessKeyMetadata", { UserName: user }, signal), [user]);

  async function create() {
    setBusy(true);
    try {
      const { AccessKey } = await call<{ AccessKey: { AccessKeyId: string; SecretAccessKey: string } }>("iam", "CreateAccessKey", { UserName: user });
      setMade(AccessKey);
      keys.again();
    } catch (error) {
      notices.failed("No access key was made", error);
    } finally {
      setBusy(false);
    }
  }

  async function change(key: Key) {
    const next = key.Status === "Active" ? "Inactive" : "Active";
    try {
      await call("iam", "UpdateAccessKey", { UserName: user, AccessKeyId: key.AccessKeyId, Status: next });
      notices.succeeded(next === "Active" ? "The key works again" : "The key does not work any more");
      keys.again();
    } catch (error) {
      notices.failed("The key was not changed", error);
    }
  }

  if (keys.error && !keys.value) return <Failure what="The access keys cannot be shown" error={keys.error} again={keys.again} />;
  return (
    <>
      <Table
        header={
          <Header
            variant="h2"
            counter={`(${keys.value?.length ?? 0})`}
            actions={
              <Button
                loading={busy}
                disabled={(keys.value?.length ?? 0) >= MOST_KEYS}
                disabledReason={`A user has at most ${MOST_KEYS} keys; delete one first`}
                onClick={() => void create()}
              >
                Create access key
              </Button>
            }
          >
            Access keys
          </Header>
        }
        items={keys.value ?? []}
        loading={!keys.value}
        loadingText="Loading"
        columnDefinitions={[
          { id: "id", header: "Access key", isRowHeader: true, cell: (key) => <Copy text={key.AccessKeyId} /> },
          { id: "status", header: "Status", cell: (key) => <Status value={key.Status} /> },
          { id: "created", header: "Created", cell: (key) => <Time at={key.CreateDate} /> },
          {
            id: "actions",
            header: "Change",
            cell: (key) => (
              <SpaceBetween direction="horizontal" size="s">
                <Button variant="inline-link" ariaLabel={`${key.Status === "Active" ? "Disable" : "Enable"} ${key.AccessKeyId}`} onClick={() => void change(key)}>
                  {key.Status === "Active" ? "Disable" : "Enable"}
                </Button>
                <Button variant="inline-link" ariaLabel={`Delete ${key.AccessKeyId}`} onClick={() => setDeleted(key)}>
                  Delete
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={<Box color="text-body-secondary">No access keys: SDKs and the CLI cannot sign in as {user}</Box>}
        ariaLabels={{ tableLabel: "Access keys" }}
      />
      {made && (
        <Modal
          visible
          header="The new access key"
          onDismiss={() => setMade(undefined)}
          closeAriaLabel="Close"
          footer={
            <Box float="right">
              <Button variant="primary" onClick={() => setMade(undefined)}>
                Done
              </Button>
            </Box>
          }
        >
          <SpaceBetween size="m">
            <Alert type="warning">The secret is shown now and never again. Keep it where only {user} can read it.</Alert>
            <KeyValuePairs
              columns={1}
              items={[
                { label: "Access key", value: <Copy text={made.AccessKeyId} /> },
                { label: "Secret access key", value: <Copy text={made.SecretAccessKey} /> },
              ]}
            />
          </SpaceBetween>
        </Modal>
      )}
      {deleted && (
        <Confirm
          verb="Delete"
          title="Delete this access key?"
          names={[deleted.AccessKeyId]}
          onDismiss={() => setDeleted(undefined)}
          onConfirm={async () => {
            await call("iam", "DeleteAccessKey", { UserName: user, AccessKeyId: deleted.AccessKeyId });
            notices.succeeded("Deleted");
            keys.again();
          }}
        >
          Whoever uses it is locked out at once.
        </Confirm>
      )}
    </>
  );
}
