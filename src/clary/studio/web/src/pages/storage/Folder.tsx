import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FileDropzone from "@cloudscape-design/components/file-dropzone";
import FileInput from "@cloudscape-design/components/file-input";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useEffect, useRef, useState } from "react";
import { useParams } from "react-router-dom";

import { download, list, remove, write } from "../../api/s3";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { Failure } from "../../kit/Failure";
import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { Preview } from "./Preview";
import { size } from "./size";

const ROWS = 100;

interface Row {
  key: string;
  name: string;
  folder: boolean;
  size?: number;
  modified?: number;
}

/** What lies below a prefix of a bucket, or one object of it. */
export default function Folder() {
  const { bucket = "", "*": tail = "" } = useParams();
  const path = tail;
  const isFolder = path === "" || path.endsWith("/");
  const parts = path.split("/").filter(Boolean);
  useTrail(
    { text: "Storage", to: "/storage" },
    { text: bucket, to: `/storage/${bucket}/` },
    ...parts.map((text, index) => ({
      text,
      to: `/storage/${bucket}/${parts.slice(0, index + 1).map(encodeURIComponent).join("/")}${index < parts.length - 1 || isFolder ? "/" : ""}`,
    })),
  );
  return isFolder ? <Rows key={`${bucket}/${path}`} bucket={bucket} prefix={path} /> : <Preview bucket={bucket} name={path} />;
}

function Rows({ bucket, prefix }: { bucket: string; prefix: string }) {
  const notices = useNotices();
  const [chosen, setChosen] = useState<Row[]>([]);
  const [deleting, setDeleting] = useState(false);
  const [busy, setBusy] = useState(false);
  const [page, setPage] = useState(1);
  const tokens = useRef<string[]>([]);
  const token = page > 1 ? tokens.current[page - 2] : undefined;
  const found = usePolling((signal) => list(bucket, prefix, token, ROWS, signal), [bucket, prefix, token ?? ""]);
  useEffect(() => {
    if (found.value?.next) tokens.current[page - 1] = found.value.next;
  }, [found.value, page]);

  if (found.error && !found.value) return <Failure what={`${bucket}/${prefix} cannot be listed`} error={found.error} again={found.again} />;
  const rows: Row[] = [
    ...(found.value?.folders ?? []).map((key) => ({ key, name: `${key.slice(prefix.length)}`, folder: true })),
    ...(found.value?.objects ?? [])
      .filter((object) => object.key !== prefix)
      .map((object) => ({ key: object.key, name: object.key.slice(prefix.length), folder: false, size: object.size, modified: object.modified })),
  ];

  async function upload(files: File[]) {
    setBusy(true);
    try {
      for (const file of files) await write(bucket, prefix + file.name, file);
      notices.succeeded(files.length === 1 ? `${files[0]?.name ?? "The file"} is uploaded` : `${files.length} files are uploaded`);
      found.again();
    } catch (error) {
      notices.failed("The upload failed", error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <SpaceBetween size="m">
      <Table
        variant="full-page"
        items={rows}
        loading={!found.value}
        loadingText="Loading"
        trackBy="key"
        selectionType="multi"
        selectedItems={chosen}
        isItemDisabled={(row) => row.folder}
        onSelectionChange={({ detail }) => setChosen(detail.selectedItems)}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={found.value && `(${rows.length}${found.value.next ? "+" : ""})`}
            description={<Copy text={`s3://${bucket}/${prefix}`} />}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel="Refresh" onClick={found.again} />
                <Button disabled={chosen.length !== 1} iconName="download" onClick={() => void download(bucket, chosen[0]?.key ?? "")}>
                  Download
                </Button>
                <Button disabled={chosen.length === 0} onClick={() => setDeleting(true)}>
                  Delete
                </Button>
                <FileInput multiple value={[]} onChange={({ detail }) => void upload(detail.value)} ariaLabel="Upload files">
                  {busy ? "Uploading …" : "Upload"}
                </FileInput>
              </SpaceBetween>
            }
          >
            {prefix.split("/").filter(Boolean).pop() ?? bucket}
          </Header>
        }
        columnDefinitions={[
          {
            id: "name",
            header: "Name",
            isRowHeader: true,
            cell: (row) => <To path={below("storage", bucket, ...row.key.split("/"))}>{row.name}</To>,
          },
          { id: "size", header: "Size", cell: (row) => (row.size === undefined ? "-" : size(row.size)) },
          { id: "modified", header: "Changed", cell: (row) => <Time at={row.modified} /> },
        ]}
        pagination={
          <Pagination
            currentPageIndex={page}
            pagesCount={page + (found.value?.next ? 1 : 0)}
            openEnd={Boolean(found.value?.next)}
            onChange={({ detail }) => setPage(detail.currentPageIndex)}
            ariaLabels={{ nextPageLabel: "Next page", previousPageLabel: "Previous page", pageLabel: (number) => `Page ${number}` }}
          />
        }
        empty={
          <Box textAlign="center" color="text-body-secondary" padding="l">
            Nothing is here
          </Box>
        }
        ariaLabels={{
          tableLabel: "Objects",
          selectionGroupLabel: "Selection",
          allItemsSelectionLabel: () => "Select all",
          itemSelectionLabel: (_, row) => `Select ${row.name}`,
        }}
      />
      
        <FileDropzone onChange={({ detail }) => void upload(detail.value)}>Drop files here to upload them</FileDropzone>
      
      {deleting && (
        <Confirm
          verb="Delete"
          title={chosen.length === 1 ? "Delete this object?" : `Delete ${chosen.length} objects?`}
          names={chosen.map((row) => row.name)}
          onDismiss={() => setDeleting(false)}
          onConfirm={async () => {
            for (const row of chosen) await remove(bucket, row.key);
            notices.succeeded("Deleted");
            setChosen([]);
            found.again();
          }}
        />
      )}
    </SpaceBetween>
  );
}
