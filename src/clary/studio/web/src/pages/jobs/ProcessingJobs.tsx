import { oneLine } from "../../kit/reason";
import { Jobs } from "./Jobs";
import { PROCESSING } from "./kinds";

/** All processing jobs. */
export default function ProcessingJobs() {
  return <Jobs kind={PROCESSING} column={{ id: "reason", header: "Reason", width: 420, minWidth: 160, cell: (row) => oneLine(row["ExitMessage"] ?? row["FailureReason"]) || "-" }} />;
}
