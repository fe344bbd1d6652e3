import type { Members } from "../../api/client";
import { type Noun, operation } from "../../api/model";

/** The members of a request that name the resource that a row or an answer shows. */
export async function naming(service: string, name: string, noun: Noun, row: Members): Promise<Members> {
  const { input } = await operation(service, name);
  const members = input?.members ?? {};
  const found: Members = {};
  for (const member of [...noun.names, noun.arn]) {
    if (member in members && row[member] !== undefined && row[member] !== null) found[member] = row[member];
  }
  // A row may call the name otherwise (MonitoringJobDefinitionName); its ARN tells it.
  for (const member of input?.required ?? []) {
    if (member in found) continue;
    if (row[member] !== undefined) found[member] = row[member];
    else if (noun.names.includes(member) && typeof row[noun.arn] === "string") found[member] = String(row[noun.arn]).split("/").pop();
  }
  return found;
}
