import { request } from "./client";
import { ApiError } from "./errors";

/** Somebody's work, as a choice of activities. */
export interface Persona {
  Name: string;
  Title: string;
  Description: string;
  Activities: string[];
}

/** A set of permissions for a common task, and what it has to be told. */
export interface Activity {
  Name: string;
  Title: string;
  Description: string;
  Parameters: string[];
  OptionalParameters: string[];
  Customizations: Customization[];
}

/** What a value must match as a whole, and that in words. */
export interface Constraint {
  Pattern: string;
  Constraint: string;
}

export interface Parameter extends Constraint {
  Name: string;
  Title: string;
  Description: string;
  Example: string;
}

export type Customization = "Network" | "Encryption";

/** What roles may be made of. */
export interface Catalog {
  Personas: Persona[];
  Activities: Activity[];
  Parameters: Parameter[];
  Members: Record<string, Constraint>;
  /** The parameters that each customization needs. */
  Customizations: Record<Customization, string[]>;
  RoleNamePrefix: string;
  PolicyPath: string;
  MaxPolicies: number;
}

/** What a role is wished to be. */
export interface Wish {
  Name: string;
  Activities: string[];
  Parameters: Record<string, string[]>;
  PolicyArns: string[];
  TrustedArns: string[];
}

/** The documents of a role; nothing is made yet. */
export interface Documents {
  RoleName: string;
  TrustPolicy: unknown;
  Policies: { PolicyName: string; Path: string; Description: string; Activity: string; Document: unknown }[];
  PolicyArns: string[];
}

let known: Promise<Catalog> | null = null;

/** What roles may be made of, read once. */
export function catalog(): Promise<Catalog> {
  known ??= request("role-manager").then((response) => response.json() as Promise<Catalog>);
  known.catch(() => (known = null));
  return known;
}

/** The policies of a role that is wished for. */
export async function documents(wish: Wish): Promise<Documents> {
  const response = await request("role-manager/policies", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(wish),
  });
  return (await response.json()) as Documents;
}

/** The member of a wish that a refusal is about. */
export function memberOf(error: unknown): string | undefined {
  return error instanceof ApiError ? / at '(\w+)' failed to satisfy/.exec(error.message)?.[1] : undefined;
}
