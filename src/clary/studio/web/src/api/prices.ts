import { request } from "./client";

/** What instances cost on AWS on demand, and where that is known from. */
export interface Prices {
  /** Dollars an hour by instance type. */
  hour: Record<string, number>;
  source: string;
  region: string;
  as_of: string;
}

let known: Promise<Prices> | null = null;

/** The table that `clary cost` reckons with, read once. */
export function prices(): Promise<Prices> {
  known ??= request("prices").then((response) => response.json() as Promise<Prices>);
  known.catch(() => (known = null));
  return known;
}
