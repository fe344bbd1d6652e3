import { call, type Members } from "../../api/client";
import { ApiError } from "../../api/errors";

export interface User {
  UserName: string;
  UserId: string;
  Arn: string;
  Path: string;
  CreateDate: number;
  PasswordLastUsed?: number;
}

export interface Role {
  RoleName: string;
  RoleId: string;
  Arn: string;
  Path: string;
  CreateDate: number;
  Description?: string;
  MaxSessionDuration?: number;
  AssumeRolePolicyDocument?: unknown;
}

export interface Group {
  GroupName: string;
  Arn: string;
  CreateDate: number;
}

/** What policies are given to. */
export type Kind = "User" | "Role" | "Group";

const MOST_PAGES = 50;

/** All rows of a List operation of IAM, which pages by markers. */
export async function all<Row>(operation: string, rows: string, members: Members = {}, signal?: AbortSignal): Promise<Row[]> {
  const found: Row[] = [];
  let marker: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer: Members = await call<Members>("iam", operation, marker ? { ...members, Marker: marker } : members, signal);
    found.push(...((answer[rows] ?? []) as Row[]));
    marker = answer["IsTruncated"] ? (answer["Marker"] as string) : undefined;
    if (!marker) break;
  }
  return found;
}

/** What an operation answers, or undefined where what it asks about does not exist. */
export async function perhaps<Answer>(operation: string, members: Members, signal?: AbortSignal): Promise<Answer | undefined> {
  try {
    return await call<Answer>("iam", operation, members, signal);
  } catch (error) {
    if (error instanceof ApiError && error.code.startsWith("NoSuchEntity")) return undefined;
    throw error;
  }
}

/** A policy document as IAM hands it out: encoded for a URL, or already read. */
export function document(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value.trimStart().startsWith("{") ? value : decodeURIComponent(value));
  } catch {
    return value;
  }
}

/** Take away all that keeps a user from being deleted, then delete it. */
export async function deleteUser(name: string): Promise<void> {
  const user = { UserName: name };
  if (await perhaps("GetLoginProfile", user)) await call("iam", "DeleteLoginProfile", user);
  for (const key of await all<{ AccessKeyId: string }>("ListAccessKeys", "AccessKeyMetadata", user)) {
    await call("iam", "DeleteAccessKey", { ...user, AccessKeyId: key.AccessKeyId });
  }
  for (const group of await all<Group>("ListGroupsForUser", "Groups", user)) await call("iam", "RemoveUserFromGroup", { ...user, GroupName: group.GroupName });
  await removePolicies("User", name);
  await call("iam", "DeleteUser", user);
}

/** Take away the policies of a role or of a group, and the members of a group, then delete it. */
export async function deleteHolder(kind: "Role" | "Group", name: string): Promise<void> {
  if (kind === "Group") {
    const { Users } = await call<{ Users: User[] }>("iam", "GetGroup", { GroupName: name });
    for (const user of Users) await call("iam", "RemoveUserFromGroup", { GroupName: name, UserName: user.UserName });
  }
  await removePolicies(kind, name);
  await call("iam", `Delete${kind}`, { [`${kind}Name`]: name });
}

async function removePolicies(kind: Kind, name: string): Promise<void> {
  const holder = { [`${kind}Name`]: name };
  for (const policy of await all<{ PolicyArn: string }>(`ListAttached${kind}Policies`, "AttachedPolicies", holder)) {
    await call("iam", `Detach${kind}Policy`, { ...holder, PolicyArn: policy.PolicyArn });
  }
  for (const policy of await all<string>(`List${kind}Policies`, "PolicyNames", holder)) await call("iam", `Delete${kind}Policy`, { ...holder, PolicyName: policy });
}
