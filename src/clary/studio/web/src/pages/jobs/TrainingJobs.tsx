import { words } from "../../kit/Status";
import { Jobs } from "./Jobs";
import { TRAINING } from "./kinds";

/** All training jobs. */
export default function TrainingJobs() {
  return <Jobs kind={TRAINING} column={{ id: "stage", header: "Stage", width: 180, cell: (row) => words(String(row["SecondaryStatus"] ?? "")) || "-" }} />;
}
