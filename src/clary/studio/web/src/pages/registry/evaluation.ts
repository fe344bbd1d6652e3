import type { Series } from "../../kit/Chart";
import { words } from "../../kit/Status";
import { numbers } from "./metrics";

export interface Matrix {
  labels: string[];
  /** Rows are what is true, columns what was predicted. */
  counts: number[][];
}

export interface Curve {
  title: string;
  xName: string;
  yName: string;
  series: Series[];
}

/** What a report of a model's evaluation holds, whatever wrote it. */
export interface Evaluation {
  values: { name: string; value: number; deviation?: number }[];
  confusion: Matrix | null;
  curves: Curve[];
  /** Features by their global SHAP values, the greatest first. */
  importance: { name: string; value: number }[];
  limits: { name: string; threshold: number; comparison: string }[];
}

type Json = Record<string, unknown>;

const MOST_FEATURES = 30;
const COMPARISONS: Record<string, string> = {
  LessThanThreshold: "Less than",
  GreaterThanThreshold: "More than",
  LessThanOrEqualToThreshold: "At most",
  GreaterThanOrEqualToThreshold: "At least",
};

/**
 * Read a report in the formats of SageMaker Model Monitor and Clarify.
 *
 * https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
 */
export function evaluationOf(content: unknown): Evaluation {
  const limits = limitsOf(content);
  const importance = importanceOf(content);
  const special = limits.length > 0 || importance.length > 0;
  const deviations = new Map<string, number>();
  each(content, (name, value) => {
    const deviation = value["standard_deviation"];
    if (typeof deviation === "number" && Number.isFinite(deviation)) deviations.set(name, deviation);
  });
  return {
    values: special
      ? []
      : Object.entries(numbers(content)).map(([name, value]) => {
          const deviation = deviations.get(name);
          return { name, value, ...(deviation === undefined ? {} : { deviation }) };
        }),
    confusion: confusionOf(content),
    curves: curvesOf(content),
    importance,
    limits,
  };
}

/** Every object in a document with the name that it stands under. */
function each(content: unknown, look: (name: string, value: Json) => void, name = ""): void {
  if (!content || typeof content !== "object" || Array.isArray(content)) return;
  look(name, content as Json);
  for (const [inner, value] of Object.entries(content)) each(value, look, inner);
}

function confusionOf(content: unknown): Matrix | null {
  let found: Matrix | null = null;
  each(content, (name, value) => {
    if (name !== "confusion_matrix") return;
    const labels = Object.keys(value);
    const counts = labels.map((truth) => labels.map((predicted) => Number((value[truth] as Json | undefined)?.[predicted] ?? 0)));
    if (labels.length && counts.flat().every(Number.isFinite)) found = { labels, counts };
  });
  return found;
}

const CURVES = [
  { name: "receiver_operating_characteristic_curve", title: "ROC curve", x: "false_positive_rates", y: "true_positive_rates", even: true },
  { name: "precision_recall_curve", title: "Precision and recall", x: "recalls", y: "precisions", even: false },
];

function curvesOf(content: unknown): Curve[] {
  const found: Curve[] = [];
  each(content, (name, value) => {
    const known = CURVES.find((curve) => curve.name === name);
    if (!known) return;
    const [xs, ys] = [value[known.x], value[known.y]];
    if (!Array.isArray(xs) || !Array.isArray(ys)) return;
    const points = xs.map((x, index) => [Number(x), Number(ys[index])] as [number, number]).sort((one, other) => one[0] - other[0]);
    const chance: Series = { name: "Chance", points: [[0, 0], [1, 1]] };
    found.push({
      title: known.title,
      xName: words(known.x.replace(/s$/, "")),
      yName: words(known.y.replace(/s$/, "")),
      series: [{ name: "Model", points }, ...(known.even ? [chance] : [])],
    });
  });
  return found;
}

function importanceOf(content: unknown): { name: string; value: number }[] {
  let found: { name: string; value: number }[] = [];
  each(content, (name, value) => {
    if (name !== "global_shap_values" || found.length) return;
    found = Object.entries(value).flatMap(([feature, size]) => (typeof size === "number" ? [{ name: feature, value: size }] : []));
  });
  return found.sort((one, other) => Math.abs(other.value) - Math.abs(one.value)).slice(0, MOST_FEATURES);
}

function limitsOf(content: unknown): { name: string; threshold: number; comparison: string }[] {
  const found: { name: string; threshold: number; comparison: string }[] = [];
  each(content, (name, value) => {
    const { threshold, comparison_operator: operator } = value;
    if (typeof threshold === "number" && typeof operator === "string") found.push({ name, threshold, comparison: COMPARISONS[operator] ?? operator });
  });
  return found;
}
