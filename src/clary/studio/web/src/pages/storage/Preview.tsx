import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useEffect, useState } from "react";
import { useNavigate } from "react-router-dom";

import { ApiError } from "../../api/errors";
import { below, download, head, read } from "../../api/s3";
import { Copy } from "../../kit/Copy";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { Time } from "../../kit/Time";
import { usePolling } from "../../kit/usePolling";
import { type Entry, entries } from "./archive";
import { commaSeparated, kindOf, parquet, type TableOf } from "./formats";
import { size } from "./size";

const MOST_TEXT = 256 * 1024;
const MOST_WHOLE = 32 * 1024 * 1024;

/** An object: what it is, and a look into it. */
export function Preview({ bucket, name }: { bucket: string; name: string }) {
  const navigate = useNavigate();
  const told = usePolling(
    async (signal) => {
      try {
        return await head(bucket, name, signal);
      } catch (error) {
        // Jobs name folders without the slash at their end.
        const isFolder = error instanceof ApiError && error.status === 404 && (await hasAny(bucket, `${name}/`, signal));
        if (!isFolder) throw error;
        navigate(`/storage/${bucket}/${name.split("/").map(encodeURIComponent).join("/")}/`, { replace: true });
        return undefined;
      }
    },
    [bucket, name],
  );
  if (told.error) return <Failure what={`${name} cannot be shown`} error={told.error} again={told.again} />;
  if (!told.value) return <Spinner size="large" />;
  const length = Number(told.value["content-length"] ?? 0);
  const extras = Object.entries(told.value).filter(([header]) => header.startsWith("x-amz-meta-"));
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <Button iconName="download" onClick={() => void download(bucket, name)}>
              Download
            </Button>
          }
        >
          {name.split("/").pop()}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Container header={<Header>Object</Header>}>
          <KeyValuePairs
            columns={4}
            items={[
              { label: "Address", value: <Copy text={`s3://${bucket}/${name}`} /> },
              { label: "Size", value: size(length) },
              { label: "Changed", value: <Time at={told.value["last-modified"]} /> },
              { label: "ETag", value: <Copy text={told.value["etag"]?.replaceAll('"', "")} /> },
              ...extras.map(([header, value]) => ({ label: header.slice("x-amz-meta-".length), value })),
            ]}
          />
        </Container>
        <Look bucket={bucket} name={name} length={length} />
      </SpaceBetween>
    </ContentLayout>
  );
}

async function hasAny(bucket: string, prefix: string, signal: AbortSignal): Promise<boolean> {
  return (await below(bucket, prefix, 1, signal)).objects.length > 0;
}

type Content =
  | { kind: "text"; text: string; cut: boolean }
  | { kind: "json"; value: unknown }
  | { kind: "table"; table: TableOf }
  | { kind: "image"; url: string }
  | { kind: "archive"; entries: Entry[] }
  | { kind: "none"; why: string };

function Look({ bucket, name, length }: { bucket: string; name: string; length: number }) {
  const [content, setContent] = useState<Content>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const gone = new AbortController();
    let url = "";
    setContent(undefined);
    setError(undefined);
    load(bucket, name, length, gone.signal)
      .then((loaded) => {
        if (loaded.kind === "image") url = loaded.url;
        setContent(loaded);
      })
      .catch((problem: unknown) => {
        if (!gone.signal.aborted) setError(problem);
      });
    return () => {
      gone.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [bucket, name, length]);

  if (error) return <Failure what="There is no preview" error={error} />;
  if (!content) return <Spinner />;
  if (content.kind === "none") return <Alert type="info">{content.why}</Alert>;
  if (content.kind === "table") return <Rows table={content.table} />;
  if (content.kind === "archive") {
    return (
      <Table
        header={<Header counter={`(${content.entries.length})`}>In the archive</Header>}
        items={content.entries}
        columnDefinitions={[
          { id: "name", header: "Name", cell: (row) => <span className="clary-mono">{row.name}</span>, isRowHeader: true },
          { id: "size", header: "Size", cell: (row) => size(row.size) },
        ]}
        ariaLabels={{ tableLabel: "In the archive" }}
      />
    );
  }
  return (
    <Container header={<Header>Preview</Header>}>
      {content.kind === "image" && <img src={content.url} alt={name} style={{ maxWidth: "100%", maxHeight: "70vh" }} />}
      {content.kind === "json" && <JsonView value={content.value} />}
      {content.kind === "text" && (
        <SpaceBetween size="xs">
          {content.cut && <Box color="text-body-secondary">The first {size(MOST_TEXT)}</Box>}
          <pre className="clary-json" tabIndex={0} aria-label="Content">
            {content.text}
          </pre>
        </SpaceBetween>
      )}
    </Container>
  );
}

function Rows({ table }: { table: TableOf }) {
  return (
    <Table
      header={
        <Header counter={`(${table.total ?? `${table.rows.length}${table.cut ? "+" : ""}`})`} description={table.cut ? `The first ${table.rows.length} rows` : undefined}>
          Rows
        </Header>
      }
      items={table.rows}
      resizableColumns
      columnDefinitions={table.columns.map((column, index) => ({ id: `${index}`, header: column, cell: (row: string[]) => row[index] ?? "", minWidth: 70, width: widthOf(table, index) }))}
      empty="No rows"
      ariaLabels={{ tableLabel: "Rows" }}
    />
  );
}

const SIGN_WIDTH = 8.5;
const MOST_WIDTH = 360;

/** A width that shows the heading of a column and most of its first values. */
function widthOf(table: TableOf, index: number): number {
  const longest = Math.max(...[table.columns, ...table.rows.slice(0, 20)].map((row) => row[index]?.length ?? 0));
  return Math.min(MOST_WIDTH, 40 + SIGN_WIDTH * longest);
}

async function load(bucket: string, name: string, length: number, signal: AbortSignal): Promise<Content> {
  const kind = kindOf(name);
  if (length === 0) return { kind: "none", why: "The object is empty." };
  if (kind === "parquet") {
    const table = await parquet({ byteLength: length, slice: (start, end) => read(bucket, name, [start, end ?? length], signal) });
    return { kind: "table", table };
  }
  if (kind === "image" || kind === "tar.gz" || kind === "tar" || kind === "zip") {
    if (length > MOST_WHOLE) return { kind: "none", why: `Too large for a preview: ${size(length)}. Download it to look into it.` };
    const whole = await read(bucket, name, undefined, signal);
    if (kind === "image") return { kind: "image", url: URL.createObjectURL(new Blob([whole], { type: imageType(name) })) };
    return { kind: "archive", entries: await entries(whole, kind) };
  }
  const some = await read(bucket, name, [0, Math.min(length, kind === "json" ? MOST_WHOLE : MOST_TEXT)], signal);
  const cut = length > some.byteLength;
  const text = new TextDecoder("utf-8").decode(some);
  if (kind === "csv") return { kind: "table", table: commaSeparated(text, cut) };
  if (kind === "json" && !cut) {
    try {
      return { kind: "json", value: JSON.parse(text) };
    } catch {
      return { kind: "text", text, cut };
    }
  }
  if (/\u0000/.test(text.slice(0, 4096))) return { kind: "none", why: "This is no text; download it to look into it." };
  return { kind: "text", text: text.slice(0, MOST_TEXT), cut: cut || text.length > MOST_TEXT };
}

function imageType(name: string): string {
  // Never SVG: it may hold scripts, and an image of a blob keeps the page's origin.
  const ending = name.split(".").pop()?.toLowerCase() ?? "";
  return { png: "image/png", gif: "image/gif", webp: "image/webp", bmp: "image/bmp" }[ending] ?? "image/jpeg";
}

