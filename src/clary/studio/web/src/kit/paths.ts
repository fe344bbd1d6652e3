import type { Noun } from "../api/model";

/** The path below Studio of a resource that a row of a list or an answer shows. */
export function resourcePath(service: string, noun: Noun, row: Record<string, unknown>): string {
  const names = noun.names.map((member) => String(row[member] ?? ""));
  const arn = row[noun.arn];
  const complete = names.every(Boolean);
  const tail = complete ? names.map(encodeURIComponent).join("/") : encodeURIComponent(String(arn ?? names.at(-1) ?? ""));
  return `/explorer/${service}/${noun.noun}/of/${tail}`;
}
