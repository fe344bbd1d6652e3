import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";

const KINDS: [RegExp, StatusIndicatorProps.Type][] = [
  [/^(failed|.*fail(ed)?|outofservice|error|rejected|alarm)$/i, "error"],
  [/(rollback|warning|violation|pendingmanualapproval)/i, "warning"],
  [/^(in.?progress|creating|updating|starting|pending|downloading|training|uploading|transforming|systemupdating|baking)/i, "in-progress"],
  [/^(stopping|deleting)/i, "in-progress"],
  [/^(stopped|disabled|deleted|inactive|unapproved)$/i, "stopped"],
  [/^(completed|inservice|created|active|ready|approved|enabled|available|createcompleted|published|scheduled|ok|started|successful|updated)$/i, "success"],
];

/** A status as an icon and its word. */
export function Status({ value }: { value: unknown }) {
  const text = typeof value === "string" ? value : "";
  if (!text) return <>-</>;
  const kind = KINDS.find(([pattern]) => pattern.test(text.replaceAll("_", "")))?.[1] ?? "info";
  return <StatusIndicator type={kind}>{words(text)}</StatusIndicator>;
}

/** `InProgress` and `CREATE_FAILED` as words. */
export function words(name: string): string {
  const spaced = name.includes("_") || name === name.toUpperCase() ? name.replaceAll("_", " ").toLowerCase() : split(name);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

function split(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(" ")
    .map((word, index) => (/^(Arn|Id|Uri|Url|Kms)$/.test(word) ? word.toUpperCase() : index === 0 || word === word.toUpperCase() ? word : word.toLowerCase()))
    .join(" ");
}
