import { call } from "../../api/client";
import { told } from "../../api/errors";
import { catalog, type Documents } from "../../api/roleManager";
import { all, deleteHolder } from "../access/iam";

interface Tag {
  Key: string;
  Value: string;
}

/** What a role gets besides its documents. */
export interface More {
  description: string;
  boundary: string;
  tags: Tag[];
}

/** Make the role of these documents, and give its ARN. If anything fails, what was made is taken back. */
export async function make(documents: Documents, more: More): Promise<string> {
  const undo: [operation: string, members: object][] = [];
  const role = { RoleName: documents.RoleName };
  const tags = more.tags.length > 0 ? { Tags: more.tags } : {};
  try {
    const attached = [...documents.PolicyArns];
    for (const policy of documents.Policies) {
      const { Policy } = await call<{ Policy: { Arn: string } }>("iam", "CreatePolicy", {
        PolicyName: policy.PolicyName,
        Path: policy.Path,
        Description: policy.Description,
        PolicyDocument: JSON.stringify(policy.Document),
        ...tags,
      });
      attached.push(Policy.Arn);
      undo.push(["DeletePolicy", { PolicyArn: Policy.Arn }]);
    }
    const { Role } = await call<{ Role: { Arn: string } }>("iam", "CreateRole", {
      ...role,
      AssumeRolePolicyDocument: JSON.stringify(documents.TrustPolicy),
      ...(more.description ? { Description: more.description } : {}),
      ...(more.boundary ? { PermissionsBoundary: more.boundary } : {}),
      ...tags,
    });
    undo.push(["DeleteRole", role]);
    for (const arn of attached) {
      await call("iam", "AttachRolePolicy", { ...role, PolicyArn: arn });
      undo.push(["DetachRolePolicy", { ...role, PolicyArn: arn }]);
    }
    return Role.Arn;
  } catch (error) {
    const left = await takeBack(undo);
    if (left.length === 0) throw error;
    throw new Error(`${told(error).message} Not all could be taken back: ${left.join(" ")}`);
  }
}

async function takeBack(undo: [string, object][]): Promise<string[]> {
  const problems: string[] = [];
  for (const [operation, members] of undo.reverse()) {
    try {
      await call("iam", operation, members);
    } catch (error) {
      problems.push(told(error).message);
    }
  }
  return problems;
}

/** Delete a role that was made so, with the policies that were made for it. */
export async function deleteMade(name: string): Promise<void> {
  const { RoleNamePrefix, PolicyPath } = await catalog();
  const attached = await all<{ PolicyArn: string }>("ListAttachedRolePolicies", "AttachedPolicies", { RoleName: name });
  await deleteHolder("Role", name);
  const ending = `_${name.slice(RoleNamePrefix.length)}`;
  for (const { PolicyArn } of attached) {
    if (PolicyArn.includes(`:policy${PolicyPath}`) && PolicyArn.endsWith(ending)) await call("iam", "DeletePolicy", { PolicyArn });
  }
}
