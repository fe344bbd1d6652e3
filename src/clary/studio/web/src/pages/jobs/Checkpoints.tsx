import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";

import { below as under, type ObjectRow } from "../../api/s3";
import { Failure } from "../../kit/Failure";
import { S3Link } from "../../kit/S3Link";
import { exactly, Time } from "../../kit/Time";
import { usePolling } from "../../kit/usePolling";
import { size } from "../storage/size";

/** How often what a running job has saved is looked for. */
const LIVE_MILLISECONDS = 3000;
const MOST_OBJECTS = 10_000;
const ROWS = 10;

interface Props {
  /** The folder in S3. */
  uri: string;
  /** Where the job has it. */
  path: string | undefined;
  ended: boolean;
}

/** What a training job has saved to go on from, the newest first. */
export function Checkpoints({ uri, path, ended }: Props) {
  const [page, setPage] = useState(1);
  const place = /^s3:\/\/([^/]+)\/?(.*?)\/?$/.exec(uri);
  const [bucket, prefix] = [place?.[1] ?? "", place?.[2] ? `${place[2]}/` : ""];
  const found = usePolling((signal) => under(bucket, prefix, MOST_OBJECTS, signal), [bucket, prefix, ended], ended ? 0 : LIVE_MILLISECONDS);
  const { objects = [], more = false } = found.value ?? {};
  const newest = [...objects].sort((a, b) => b.modified - a.modified || b.key.localeCompare(a.key));
  const pages = Math.max(1, Math.ceil(newest.length / ROWS));
  const at = Math.min(page, pages);
  const whole = newest.reduce((sum, each) => sum + each.size, 0);

  if (found.error && !found.value) return <Failure what="The checkpoints cannot be listed" error={found.error} again={found.again} />;
  return (
    <Table<ObjectRow>
      header={
        <Header
          counter={found.value && `(${newest.length.toLocaleString()}${more ? "+" : ""})`}
          description={
            <>
              <S3Link uri={`s3://${bucket}/${prefix}`} />
              {" · in the job "}
              <span className="clary-mono">{path ?? "/opt/ml/checkpoints"}</span>
              {whole > 0 && ` · ${size(whole)}`}
            </>
          }
        >
          Checkpoints
        </Header>
      }
      items={newest.slice((at - 1) * ROWS, at * ROWS)}
      trackBy="key"
      loading={!found.value}
      loadingText="Loading"
      wrapLines
      columnDefinitions={[
        { id: "name", header: "Object", isRowHeader: true, minWidth: 260, cell: (row) => <S3Link uri={`s3://${bucket}/${row.key}`} shown={row.key.slice(prefix.length)} /> },
        { id: "size", header: "Size", minWidth: 100, cell: (row) => size(row.size) },
        { id: "saved", header: "Saved", minWidth: 150, cell: (row) => <Time at={row.modified} /> },
        { id: "time", header: "Time", minWidth: 200, cell: (row) => exactly(row.modified) },
      ]}
      pagination={
        pages > 1 && (
          <Pagination
            currentPageIndex={at}
            pagesCount={pages}
            onChange={({ detail }) => setPage(detail.currentPageIndex)}
            ariaLabels={{ nextPageLabel: "Older checkpoints", previousPageLabel: "Newer checkpoints", pageLabel: (number) => `Page ${number} of the checkpoints` }}
          />
        )
      }
      empty={<Box color="text-body-secondary">{ended ? "The job saved none" : "None yet: they appear here as the job saves them"}</Box>}
      ariaLabels={{ tableLabel: "Checkpoints" }}
    />
  );
}
