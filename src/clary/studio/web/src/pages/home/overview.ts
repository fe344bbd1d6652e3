import { call, type Members } from "../../api/client";
import { ApiError } from "../../api/errors";
import { below } from "../../kit/To";

/** A job or an endpoint, in whatever state. */
export interface Work {
  kind: string;
  name: string;
  path: string;
  status: string;
  stage: string;
  created: number;
  changed: number;
}

export interface Overview {
  running: Work[];
  failed: Work[];
  recent: Work[];
  /** The newest training job that has a model. */
  trained: string | undefined;
}

interface Kind {
  kind: string;
  operation: string;
  rows: string;
  /** What the names of its members begin with. */
  noun: string;
  path: (name: string) => string;
  running: string[];
}

const RUNNING = ["InProgress", "Stopping"];
const RECENT = 10;
const SHOWN_FAILURES = 5;
const LATELY_SECONDS = 7 * 86_400;

const TRAINING: Kind = { kind: "Training job", operation: "ListTrainingJobs", rows: "TrainingJobSummaries", noun: "TrainingJob", path: (name) => below("training-jobs", name), running: RUNNING };
const PROCESSING: Kind = { kind: "Processing job", operation: "ListProcessingJobs", rows: "ProcessingJobSummaries", noun: "ProcessingJob", path: (name) => below("processing-jobs", name), running: RUNNING };
const ENDPOINT: Kind = { kind: "Endpoint", operation: "ListEndpoints", rows: "Endpoints", noun: "Endpoint", path: (name) => below("endpoints", name), running: ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"] };
const TRANSFORM: Kind = { kind: "Batch transform", operation: "ListTransformJobs", rows: "TransformJobSummaries", noun: "TransformJob", path: (name) => below("transform-jobs", name), running: RUNNING };
const TUNING: Kind = { kind: "Tuning job", operation: "ListHyperParameterTuningJobs", rows: "HyperParameterTuningJobSummaries", noun: "HyperParameterTuningJob", path: (name) => below("tuning-jobs", name), running: RUNNING };
const KINDS: Kind[] = [TRAINING, PROCESSING, ENDPOINT, TRANSFORM, TUNING];

/** What runs, what failed within a week, and the newest of everything. */
export async function overview(signal: AbortSignal): Promise<Overview> {
  const [newest, going, failed, completed] = await Promise.all([
    Promise.all(KINDS.map((kind) => list(kind, {}, RECENT, signal))),
    Promise.all(
      [
        list(TRAINING, { StatusEquals: "InProgress" }, RECENT, signal),
        list(PROCESSING, { StatusEquals: "InProgress" }, RECENT, signal),
        list(TRANSFORM, { StatusEquals: "InProgress" }, RECENT, signal),
        list(TUNING, { StatusEquals: "InProgress" }, RECENT, signal),
        list(ENDPOINT, { StatusEquals: "Creating" }, RECENT, signal),
      ],
    ),
    Promise.all(KINDS.map((kind) => list(kind, { StatusEquals: "Failed" }, SHOWN_FAILURES, signal))),
    list(TRAINING, { StatusEquals: "Completed" }, 1, signal),
  ]);
  const recent = merged(newest.flat());
  const since = Date.now() / 1000 - LATELY_SECONDS;
  const states = new Map(KINDS.map((kind) => [kind.kind, kind.running]));
  return {
    running: merged([...going.flat(), ...recent.filter((work) => states.get(work.kind)?.includes(work.status))]),
    failed: merged(failed.flat().filter((work) => work.changed > since)).slice(0, SHOWN_FAILURES),
    recent: recent.slice(0, RECENT),
    trained: completed[0]?.name,
  };
}

const reasons = new Map<string, string>();

/** Why something failed, asked once. */
export async function reasonOf(work: Work, signal: AbortSignal): Promise<string> {
  const key = `${work.path} ${work.changed}`;
  const known = reasons.get(key);
  if (known !== undefined) return known;
  const noun = KINDS.find(({ kind }) => kind === work.kind)?.noun ?? "";
  const described = await call<Members>("sagemaker", `Describe${noun}`, { [`${noun}Name`]: work.name }, signal);
  const reason = String(described["ExitMessage"] ?? described["FailureReason"] ?? "");
  reasons.set(key, reason);
  return reason;
}

export interface Count {
  title: string;
  path: string;
  /** How many; undefined where the person may not look. */
  count: number | undefined;
}

const COUNTED = [
  { resource: "TrainingJob", title: "Training jobs", path: "/training-jobs" },
  { resource: "Experiment", title: "Experiments", path: "/experiments" },
  { resource: "Model", title: "Models", path: "/models" },
  { resource: "ModelPackageGroup", title: "Registered models", path: "/model-registry" },
  { resource: "Endpoint", title: "Endpoints", path: "/endpoints" },
  { resource: "Pipeline", title: "Pipelines", path: "/explorer/sagemaker/Pipeline" },
];

/** How many there are of what people look for most. */
export async function counts(signal: AbortSignal): Promise<Count[]> {
  return Promise.all(
    COUNTED.map(async ({ resource, title, path }) => {
      try {
        const found = await call<{ TotalHits?: { Value: number } }>("sagemaker", "Search", { Resource: resource, MaxResults: 1 }, signal);
        return { title, path, count: found.TotalHits?.Value };
      } catch (error) {
        if (error instanceof ApiError && !error.isSignedOut) return { title, path, count: undefined };
        throw error;
      }
    }),
  );
}

async function list(kind: Kind, filter: Members, most: number, signal: AbortSignal): Promise<Work[]> {
  try {
    const answer = await call<Members>("sagemaker", kind.operation, { ...filter, SortBy: "CreationTime", SortOrder: "Descending", MaxResults: most }, signal);
    return ((answer[kind.rows] ?? []) as Members[]).map((row) => work(kind, row));
  } catch (error) {
    // Who may not see some kinds of work sees the others.
    if (error instanceof ApiError && /AccessDenied/.test(error.code)) return [];
    throw error;
  }
}

function work(kind: Kind, row: Members): Work {
  const name = String(row[`${kind.noun}Name`]);
  return {
    kind: kind.kind,
    name,
    path: kind.path(name),
    status: String(row[`${kind.noun}Status`] ?? ""),
    stage: String(row["SecondaryStatus"] ?? ""),
    created: Number(row["CreationTime"]),
    changed: Number(row["LastModifiedTime"] ?? row["CreationTime"]),
  };
}

/** Each once, the newest first. */
function merged(all: Work[]): Work[] {
  return [...new Map(all.map((work) => [`${work.kind} ${work.name}`, work])).values()].sort((a, b) => b.created - a.created);
}
