import { request } from "./client";

/** A resource that something is wrong with. */
export interface Affected {
  kind: string;
  name: string;
  region: string;
}

/** One thing that is wrong, and what to do about it. */
export interface Problem {
  severity: "error" | "warning";
  code: string;
  text: string;
  remedy: string;
  resources: Affected[];
  /** How many resources there are; some of them are named. */
  count: number;
}

/** What is wrong with the account's work and with the installation, the worst first. */
export async function problems(signal?: AbortSignal): Promise<Problem[]> {
  const response = await request("health", { signal: signal ?? null });
  return ((await response.json()) as { problems: Problem[] }).problems;
}
