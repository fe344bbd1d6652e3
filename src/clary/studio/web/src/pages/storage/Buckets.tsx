import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useState } from "react";

import { type Bucket, buckets, createBucket, deleteBucket } from "../../api/s3";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Failure } from "../../kit/Failure";
import { NameDialog } from "../../kit/NameDialog";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";

/** The account's buckets. */
export default function Buckets() {
  useTrail({ text: "Storage" });
  const notices = useNotices();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState<Bucket[]>([]);
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const found = usePolling((signal) => buckets(signal), []);
  if (found.error && !found.value) return <Failure what="The buckets cannot be listed" error={found.error} again={found.again} />;
  const shown = (found.value ?? []).filter((bucket) => bucket.name.includes(text.toLowerCase()));
  return (
    <>
      <Table
        variant="full-page"
        items={shown}
        loading={!found.value}
        loadingText="Loading"
        selectionType="single"
        selectedItems={chosen}
        trackBy="name"
        onSelectionChange={({ detail }) => setChosen(detail.selectedItems)}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={found.value && `(${found.value.length})`}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel="Refresh" onClick={found.again} />
                <Button disabled={chosen.length === 0} onClick={() => setDeleting(true)}>
                  Delete
                </Button>
                <Button variant="primary" onClick={() => setCreating(true)}>
                  Create bucket
                </Button>
              </SpaceBetween>
            }
          >
            Storage
          </Header>
        }
        filter={<TextFilter filteringText={text} onChange={({ detail }) => setText(detail.filteringText)} filteringPlaceholder="Find a bucket" filteringClearAriaLabel="Clear" filteringAriaLabel="Find a bucket" />}
        columnDefinitions={[
          { id: "name", header: "Bucket", isRowHeader: true, cell: (row) => <To path={`${below("storage", row.name)}/`}>{row.name}</To> },
          { id: "created", header: "Created", cell: (row) => <Time at={row.created} /> },
        ]}
        empty={
          <Box textAlign="center" color="text-body-secondary" padding="l">
            There are no buckets yet
          </Box>
        }
        ariaLabels={{ tableLabel: "Buckets", selectionGroupLabel: "Selection", itemSelectionLabel: (_, row) => `Select ${row.name}` }}
      />
      {creating && (
        <NameDialog
          title="Create bucket"
          verb="Create"
          constraint="3 to 63 small letters, digits, hyphens and dots"
          onDismiss={() => setCreating(false)}
          onSave={async (name) => {
            await createBucket(name);
            notices.succeeded(`The bucket ${name} is there`);
            found.again();
          }}
        />
      )}
      {deleting && chosen[0] && (
        <Confirm
          verb="Delete"
          title="Delete this bucket?"
          names={[chosen[0].name]}
          onDismiss={() => setDeleting(false)}
          onConfirm={async () => {
            await deleteBucket(chosen[0]?.name ?? "");
            notices.succeeded("Deleted");
            setChosen([]);
            found.again();
          }}
        >
          Only an empty bucket can be deleted.
        </Confirm>
      )}
    </>
  );
}
