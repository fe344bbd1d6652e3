import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import Table from "@cloudscape-design/components/table";
import { type ReactNode, useState } from "react";

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
  /** What the objects are: "Checkpoints". */
  title: string;
  /** The folder in S3. */
  uri: string;
  /** What is said of the folder behind its address. */
  about?: ReactNode;
  /** Which of its objects are shown; all of them where it is left out. */
  only?: (object: ObjectRow) => boolean;
  ended: boolean;
}

/** What a job has saved in a folder of S3, the newest first, as it comes. */
export function Saved({ title, uri, about, only = () => true, ended }: Props) {
  const [page, setPage] = useState(1);
  const place = /^s3:\/\/([^/]+)\/?(.*?)\/?$/.exec(uri);
  const [bucket, prefix] = [place?.[1] ?? "", place?.[2] ? `${place[2]}/` : ""];
  const found = usePolling((signal) => under(bucket, prefix, MOST_OBJECTS, signal), [bucket, prefix, ended], ended ? 0 : LIVE_MILLISECONDS);
  const { objects = [], more = false } = found.value ?? {};
  const newest = objects.filter(only).sort((a, b) => b.modified - a.modified || b.key.localeCompare(a.key));
  const pages = Math.max(1, Math.ceil(newest.length / ROWS));
  const at = Math.min(page, pages);
  const what = title.toLowerCase();
  const whole = newest.reduce((sum, each) => sum + each.size, 0);

  if (found.error && !found.value) return <Failure what={`${title} cannot be listed`} error={found.error} again={found.again} />;
  return (
    <Table<ObjectRow>
      header={
        <Header
          counter={found.value && `(${newest.length.toLocaleString()}${more ? "+" : ""})`}
          description={
            <>
              <S3Link uri={`s3://${bucket}/${prefix}`} />
              {about}
              {whole > 0 && ` · ${size(whole)}`}
            </>
          }
        >
          {title}
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
            ariaLabels={{ nextPageLabel: `Older ${what}`, previousPageLabel: `Newer ${what}`, pageLabel: (number) => `Page ${number} of the ${what}` }}
          />
        )
      }
      empty={<Box color="text-body-secondary">{ended ? "The job saved none" : "None yet: they appear here as the job saves them"}</Box>}
      ariaLabels={{ tableLabel: title }}
    />
  );
}
