import type { ReactNode } from "react";

import { shown } from "../../kit/Chart";
import { looksSecret } from "../../kit/Environment";
import { S3Link } from "../../kit/S3Link";
import { Status } from "../../kit/Status";
import { exactly } from "../../kit/Time";
import { shortImage } from "../../kit/names";
import { artifactsOf } from "../models/model";
import { isBetterSmaller, metricName } from "./metrics";
import { type ModelPackage, personName } from "./package";

export interface Compared {
  described: ModelPackage;
  quality: Record<string, number>;
}

export interface CompareRow {
  name: string;
  cells: ReactNode[];
  differs: boolean;
  /** The place of the version that is best at this. */
  best?: number;
}

export interface Section {
  title: string;
  rows: CompareRow[];
}

/** What versions have in common and what not, by subject. */
export function compared(versions: Compared[]): Section[] {
  const described = versions.map((each) => each.described);
  const containers = described.map((each) => each.InferenceSpecification?.Containers?.[0]);
  const specifications = described.map((each) => each.InferenceSpecification);
  const variables = containers.map((each) => each?.Environment ?? {});
  const metadata = described.map((each) => each.CustomerMetadataProperties ?? {});
  return [
    {
      title: "Approval",
      rows: [
        row("Approval", described.map((each) => each.ModelApprovalStatus ?? ""), (text) => <Status value={text} />),
        row("Comment", described.map((each) => each.ApprovalDescription ?? "")),
        row("Stage", described.map((each) => each.ModelLifeCycle?.Stage ?? "")),
      ],
    },
    { title: "Metrics", rows: metrics(versions.map((each) => each.quality)) },
    {
      title: "Inference",
      rows: [
        row("Image", containers.map((each) => shortImage(each?.Image)), mono),
        row("Artifacts", containers.map((each) => artifactsOf(each)), (text) => <S3Link uri={text} />),
        row("Framework", containers.map((each) => [each?.Framework, each?.FrameworkVersion].filter(Boolean).join(" "))),
        row("Takes", specifications.map((each) => (each?.SupportedContentTypes ?? []).join(", "))),
        row("Gives", specifications.map((each) => (each?.SupportedResponseMIMETypes ?? []).join(", "))),
        row("Instances for endpoints", specifications.map((each) => (each?.SupportedRealtimeInferenceInstanceTypes ?? []).join(", "))),
      ],
    },
    {
      title: "Environment",
      rows: names(variables).map((name) =>
        row(name, variables.map((each) => each[name] ?? ""), (text) => (looksSecret(name, text) ? <span aria-label="Hidden value">••••••••</span> : mono(text))),
      ),
    },
    { title: "Metadata", rows: names(metadata).map((name) => row(name, metadata.map((each) => each[name] ?? ""))) },
    {
      title: "Origin",
      rows: [
        row("Description", described.map((each) => each.ModelPackageDescription ?? "")),
        row("Commit", described.map((each) => each.MetadataProperties?.CommitId ?? ""), mono),
        row("Repository", described.map((each) => each.MetadataProperties?.Repository ?? ""), mono),
        row("Created by", described.map((each) => personName(each.CreatedBy))),
        // Each is made at its own time, which tells nothing apart.
        { ...row("Created", described.map((each) => exactly(each.CreationTime))), differs: false },
      ],
    },
  ].map((section) => ({ ...section, rows: section.rows.filter((each) => each.differs || each.cells.some((cell) => cell !== "-")) }))
    .filter((section) => section.rows.length > 0);
}

function row(name: string, values: string[], look: (text: string) => ReactNode = (text) => text): CompareRow {
  return { name, cells: values.map((value) => (value ? look(value) : "-")), differs: new Set(values).size > 1 };
}

function metrics(qualities: Record<string, number>[]): CompareRow[] {
  return names(qualities).map((name) => {
    const values = qualities.map((each) => each[name]);
    const known = values.filter((value) => value !== undefined);
    const differs = new Set(values).size > 1;
    const best = isBetterSmaller(name) ? Math.min(...known) : Math.max(...known);
    const place = values.indexOf(best);
    return { name: metricName(name), cells: values.map((value) => shown(value)), differs, ...(differs && known.length > 1 ? { best: place } : {}) };
  });
}

function names(records: Record<string, unknown>[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))];
}

function mono(text: string): ReactNode {
  return <span className="clary-mono">{text}</span>;
}
