import { request } from "./client";

/** A noun of a service, as the grammar knows it. */
export interface Noun {
  noun: string;
  plural: string;
  title: string;
  group: string;
  /** The operation's name for each verb that the noun has: create, describe, list, update, delete, stop, start. */
  verbs: Partial<Record<Verb, string>>;
  /** The members of requests that name it, outermost first. */
  names: string[];
  arn: string;
  status: string | null;
  /** The member of List's answer that holds the rows. */
  rows: string;
  columns: string[];
  filters: string[];
  sorts: string[];
  /** What Clary does not do yet, so that Create refuses; or empty. */
  later: string;
}

export type Verb = "create" | "describe" | "list" | "update" | "delete" | "stop" | "start" | "put" | "register";

export interface Service {
  service: string;
  nouns: Noun[];
}

/** A shape of the service model, its members nested; a shape that holds itself is cut off. */
export interface Shape {
  type: "structure" | "list" | "map" | "string" | "integer" | "long" | "float" | "double" | "boolean" | "timestamp" | "blob";
  name: string;
  documentation?: string;
  required?: string[];
  members?: Record<string, Shape>;
  member?: Shape;
  key?: Shape;
  value?: Shape;
  enum?: string[];
  pattern?: string;
  min?: number;
  max?: number;
  sensitive?: boolean;
}

export interface Operation {
  documentation: string;
  input: Shape | null;
  output: Shape | null;
}

let services: Promise<Service[]> | null = null;
const operations = new Map<string, Promise<Operation>>();

/** All nouns of all services, read once. */
export function nouns(): Promise<Service[]> {
  services ??= request("model")
    .then((response) => response.json() as Promise<{ services: Service[] }>)
    .then((body) => body.services);
  services.catch(() => (services = null));
  return services;
}

/** The shapes of an operation, read once. */
export function operation(service: string, name: string): Promise<Operation> {
  const key = `${service}/${name}`;
  let known = operations.get(key);
  if (!known) {
    known = request(`model/${key}`).then((response) => response.json() as Promise<Operation>);
    known.catch(() => operations.delete(key));
    operations.set(key, known);
  }
  return known;
}
