import Box from "@cloudscape-design/components/box";

import { Copy } from "./Copy";
import { Status } from "./Status";
import { Time } from "./Time";

const TIME = /(Time|Date|At|Timestamp)$/;
const STATUS = /(Status|State)$/;

/** A member of an answer, shown as what its name says it is. */
export function Value({ name, value }: { name: string; value: unknown }) {
  if (value === undefined || value === null || value === "") return <>-</>;
  if (TIME.test(name) && typeof value === "number") return <Time at={value} />;
  if (STATUS.test(name) && typeof value === "string") return <Status value={value} />;
  if (typeof value === "boolean") return <>{value ? "Yes" : "No"}</>;
  if (typeof value === "number") return <>{value.toLocaleString()}</>;
  if (typeof value === "string") {
    if (/^(arn:|s3:\/\/)/.test(value)) return <Copy text={value} />;
    return <span style={{ overflowWrap: "anywhere" }}>{value}</span>;
  }
  return (
    <Box variant="code">
      <span style={{ overflowWrap: "anywhere" }}>{JSON.stringify(value)}</span>
    </Box>
  );
}
