import { request } from "./client";

export interface Hyperparameter {
  name: string;
  /** `Integer`, `Continuous`, `Categorical` or `FreeText`, as algorithms declare them. */
  type: string;
  required: boolean;
  default: string | null;
  /** What a value may be, in words. */
  range: string;
  tunable: boolean;
  /** The documented range for automatic tuning: two ends, or names. */
  recommended: string[];
  aliases: string[];
  description: string;
  /** A value to begin with, where one is required and none is the default; or empty. */
  start: string;
}

export interface Metric {
  name: string;
  direction: "Maximize" | "Minimize";
}

export interface AlgorithmChannel {
  name: string;
  required: boolean;
  /** The first is what it has without one. */
  content_types: string[];
  description: string;
}

export interface Algorithm {
  name: string;
  title: string;
  /** What it learns, by which the list is grouped. */
  kind: string;
  summary: string;
  /** Its page in Amazon's documentation. */
  page: string;
  /** Images as a job names them; the first is what to begin with. */
  images: string[];
  repositories: string[];
  hyperparameters: Hyperparameter[];
  metrics: Metric[];
  channels: AlgorithmChannel[];
}

let known: Promise<Algorithm[]> | null = null;

/** The built-in algorithms as they declare themselves, read once. */
export function algorithms(): Promise<Algorithm[]> {
  known ??= request("algorithms")
    .then((response) => response.json() as Promise<{ algorithms: Algorithm[] }>)
    .then((body) => body.algorithms);
  known.catch(() => (known = null));
  return known;
}

/** The built-in algorithm that an image trains with, unless a script of the user's runs in it. */
export function algorithmOf(all: Algorithm[], image: string | undefined, parameters: Record<string, string>): Algorithm | undefined {
  if (!image || "sagemaker_program" in parameters) return undefined;
  const repository = image.split("/").pop()?.split(/[:@]/)[0] ?? "";
  return all.find((each) => each.repositories.includes(repository));
}
