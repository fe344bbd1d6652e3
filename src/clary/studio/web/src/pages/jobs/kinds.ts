/** What kinds of jobs differ in. */
export interface JobKind {
  /** As operations and members call it. */
  noun: "TrainingJob" | "ProcessingJob" | "TransformJob";
  title: string;
  path: string;
  logs: string;
  /** What the members that say when it began and ended begin with. */
  phase: "Training" | "Processing" | "Transform";
  again: string;
  /** What becomes of its work when it is stopped. */
  stopped: string;
}

const SAVES = "The job gets 120 seconds to save its work. What it has written is kept.";

export const TRAINING: JobKind = {
  noun: "TrainingJob",
  title: "Training jobs",
  path: "/training-jobs",
  logs: "/aws/sagemaker/TrainingJobs",
  phase: "Training",
  again: "Train again with changes",
  stopped: SAVES,
};

export const PROCESSING: JobKind = {
  noun: "ProcessingJob",
  title: "Processing jobs",
  path: "/processing-jobs",
  logs: "/aws/sagemaker/ProcessingJobs",
  phase: "Processing",
  again: "Run again with changes",
  stopped: SAVES,
};

export const TRANSFORM: JobKind = {
  noun: "TransformJob",
  title: "Batch transform",
  path: "/transform-jobs",
  logs: "/aws/sagemaker/TransformJobs",
  phase: "Transform",
  again: "Transform again with changes",
  stopped: "Outputs that are whole by then are kept; the others are not written.",
};
