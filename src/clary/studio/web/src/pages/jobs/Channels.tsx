import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table, { type TableProps } from "@cloudscape-design/components/table";

import { S3Link } from "../../kit/S3Link";
import { words } from "../../kit/Status";
import type { Channel } from "./training";

interface Props {
  channels: Channel[];
  /** The mode of channels that have none of their own. */
  mode: string | undefined;
}

/** The channels of a training job: where their objects are, what they are, and how the job gets them. */
export function Channels({ channels, mode }: Props) {
  const columns: (TableProps.ColumnDefinition<Channel> & { told?: (channel: Channel) => unknown })[] = [
    { id: "name", header: "Channel", isRowHeader: true, minWidth: 110, cell: (row) => <span className="clary-keep">{row.ChannelName}</span> },
    { id: "mode", header: "Mode", minWidth: 110, cell: (row) => <Mode own={row.InputMode} job={mode} /> },
    { id: "source", header: "Source", minWidth: 260, cell: (row) => <Source channel={row} /> },
    { id: "type", header: "Content type", minWidth: 130, cell: (row) => row.ContentType ?? "-" },
    { id: "distribution", header: "Distribution", minWidth: 140, cell: (row) => distribution(row) },
    { id: "compression", header: "Compression", minWidth: 120, told: (row) => unless("None", row.CompressionType), cell: (row) => row.CompressionType ?? "None" },
    { id: "wrapper", header: "Record wrapper", minWidth: 130, told: (row) => unless("None", row.RecordWrapperType), cell: (row) => row.RecordWrapperType ?? "None" },
    { id: "shuffle", header: "Shuffle seed", minWidth: 110, told: (row) => row.ShuffleConfig, cell: (row) => row.ShuffleConfig?.Seed ?? "-" },
    { id: "attributes", header: "Attributes", minWidth: 140, told: (row) => attributes(row), cell: (row) => attributes(row) ?? "-" },
  ];
  // A column that would say nothing of any channel only makes the others narrow.
  const shown = columns.filter(({ told }) => !told || channels.some((channel) => told(channel) !== undefined));
  return (
    <Table
      header={<Header counter={`(${channels.length})`}>Inputs</Header>}
      items={channels}
      trackBy="ChannelName"
      wrapLines
      columnDefinitions={shown}
      empty="No inputs"
      ariaLabels={{ tableLabel: "Inputs" }}
    />
  );
}

function Mode({ own, job }: { own: string | undefined; job: string | undefined }) {
  if (own) return <>{own}</>;
  return (
    <>
      {job ?? "File"}
      <Box variant="small" color="text-body-secondary" display="block">
        as the job
      </Box>
    </>
  );
}

const TYPES: Record<string, string> = { S3Prefix: "Objects whose keys begin so", ManifestFile: "Objects that a manifest names", AugmentedManifestFile: "Lines of an augmented manifest" };

function Source({ channel }: { channel: Channel }) {
  const s3 = channel.DataSource?.S3DataSource;
  const files = channel.DataSource?.FileSystemDataSource;
  if (files)
    return (
      <>
        <span className="clary-mono">{files.DirectoryPath ?? "/"}</span>
        <Box variant="small" color="text-body-secondary" display="block">
          {files.FileSystemType} {files.FileSystemId}
        </Box>
      </>
    );
  return (
    <>
      <S3Link uri={s3?.S3Uri} />
      <Box variant="small" color="text-body-secondary" display="block">
        {[s3?.S3DataType, TYPES[s3?.S3DataType ?? ""]].filter(Boolean).join(" · ")}
      </Box>
    </>
  );
}

function distribution(channel: Channel): string {
  if (channel.DataSource?.FileSystemDataSource) return "-";
  return words(channel.DataSource?.S3DataSource?.S3DataDistributionType ?? "FullyReplicated");
}

function attributes(channel: Channel): string | undefined {
  const names = channel.DataSource?.S3DataSource?.AttributeNames ?? [];
  return names.length > 0 ? names.join(", ") : undefined;
}

function unless(nothing: string, value: string | undefined): string | undefined {
  return value === nothing ? undefined : value;
}
