import { oneLine } from "../../kit/reason";
import { Jobs } from "./Jobs";
import { TRANSFORM } from "./kinds";

/** All transform jobs. */
export default function TransformJobs() {
  return <Jobs kind={TRANSFORM} column={{ id: "reason", header: "Reason", width: 420, minWidth: 160, cell: (row) => oneLine(row["FailureReason"]) || "-" }} />;
}
