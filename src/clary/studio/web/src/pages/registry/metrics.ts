import { read } from "../../api/s3";
import { words } from "../../kit/Status";
import { usePolling } from "../../kit/usePolling";
import type { MetricsFiles, MetricsSource, ModelPackage } from "./package";

const MOST_BYTES = 2 * 1024 * 1024;

/** A file that a model package names: what it tells of, and what is in it. */
export interface MetricsFile {
  /** Such as `Model quality statistics`. */
  title: string;
  /** Such as `ModelQuality.Statistics`. */
  id: string;
  source: MetricsSource;
  content: unknown;
  problem: string;
}

/** The files of a package's `ModelMetrics` or `DriftCheckBaselines`, without their contents. */
export function filesOf(metrics: MetricsFiles | undefined): { id: string; title: string; source: MetricsSource }[] {
  return Object.entries(metrics ?? {}).flatMap(([subject, parts]) =>
    Object.entries(parts ?? {}).flatMap(([part, source]) => {
      if (!source?.S3Uri) return [];
      const tail = part === "Report" ? "report" : words(part).toLowerCase();
      return [{ id: `${subject}.${part}`, title: `${words(subject)} ${tail}`, source }];
    }),
  );
}

/** Read the files of a package, all at once; one that cannot be read says why, and keeps nobody from the others. */
export async function readFiles(metrics: MetricsFiles | undefined, signal?: AbortSignal): Promise<MetricsFile[]> {
  return Promise.all(
    filesOf(metrics).map(async (file) => {
      try {
        return { ...file, content: await json(file.source.S3Uri, signal), problem: "" };
      } catch (error) {
        if (signal?.aborted) throw error;
        return { ...file, content: undefined, problem: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

async function json(uri: string, signal?: AbortSignal): Promise<unknown> {
  const path = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri);
  if (!path) throw new Error("This is no address in S3.");
  const bytes = await read(path[1] ?? "", path[2] ?? "", [0, MOST_BYTES], signal);
  if (bytes.byteLength >= MOST_BYTES) throw new Error("The file is too large to be shown here.");
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The numbers of a package's quality statistics by their names, such as `accuracy`. */
export function qualityOf(files: MetricsFile[]): Record<string, number> {
  const statistics = files.find((file) => file.id === "ModelQuality.Statistics");
  return statistics ? numbers(statistics.content) : {};
}

/**
 * The metrics in what SageMaker's evaluation writes: `{"binary_classification_metrics": {"auc": {"value": 0.9}}}`, or in
 * any other JSON of names and numbers.
 */
export function numbers(content: unknown): Record<string, number> {
  const found: Record<string, number> = {};
  function look(value: unknown, path: string[]) {
    if (typeof value === "number") {
      if (Number.isFinite(value)) found[path.join(" ")] = value;
      return;
    }
    if (!value || typeof value !== "object" || Array.isArray(value)) return;
    const members = Object.entries(value as Record<string, unknown>);
    const measured = (value as Record<string, unknown>)["value"];
    if (typeof measured === "number") {
      look(measured, path);
      return;
    }
    for (const [name, inner] of members) {
      if (SKIPPED.has(name)) continue;
      look(inner, /(_metrics|^metrics)$/.test(name) ? path : [...path, name]);
    }
  }
  look(content, []);
  return found;
}

// What is shown in another way, and what tells of the file and not of the model.
const SKIPPED = new Set(["version", "dataset", "confusion_matrix", "receiver_operating_characteristic_curve", "precision_recall_curve", "standard_deviation"]);

const WRITTEN: Record<string, string> = { auc: "AUC", mse: "MSE", rmse: "RMSE", mae: "MAE", mape: "MAPE", r2: "R²", au_prc: "AU PRC", f1: "F1", f2: "F2", f0_5: "F0.5" };

/** The name of a metric as people write it. */
export function metricName(name: string): string {
  return WRITTEN[name.toLowerCase()] ?? words(name.replaceAll("_", " "));
}

/** Whether a metric is better where it is smaller, as errors and losses are. */
export function isBetterSmaller(name: string): boolean {
  return /(loss|error|mse|rmse|mae|mape|rate|latency|perplexity)/i.test(name) && !/true_(positive|negative)_rate/i.test(name);
}

/** The numbers of one version, as they are read. */
export function usePackageFiles(found: ModelPackage | undefined) {
  return usePolling(async (signal) => (found ? readFiles(found.ModelMetrics, signal) : undefined), [found?.ModelPackageArn, found?.ModelMetrics]);
}
