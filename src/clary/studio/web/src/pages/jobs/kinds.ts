/** What training and processing jobs differ in. */
export interface JobKind {
  /** As operations and members call it. */
  noun: "TrainingJob" | "ProcessingJob";
  title: string;
  path: string;
  logs: string;
  /** What the members that say when it began and ended begin with. */
  phase: "Training" | "Processing";
  again: string;
}

export const TRAINING: JobKind = {
  noun: "TrainingJob",
  title: "Training jobs",
  path: "/training-jobs",
  logs: "/aws/sagemaker/TrainingJobs",
  phase: "Training",
  again: "Train again with changes",
};

export const PROCESSING: JobKind = {
  noun: "ProcessingJob",
  title: "Processing jobs",
  path: "/processing-jobs",
  logs: "/aws/sagemaker/ProcessingJobs",
  phase: "Processing",
  again: "Run again with changes",
};
