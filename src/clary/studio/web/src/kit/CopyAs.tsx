import ButtonDropdown from "@cloudscape-design/components/button-dropdown";

import { useNotices } from "../frame/notices";

interface Props {
  service: string;
  operation: string;
  /** The request, or what finds it out when somebody wants the copy. */
  members: object | (() => Promise<object>);
}

/** Copies a call as boto3 code or as a command of the AWS CLI. */
export function CopyAs({ service, operation, members }: Props) {
  const notices = useNotices();
  return (
    <ButtonDropdown
      items={[
        { id: "boto3", text: "boto3" },
        { id: "cli", text: "AWS CLI" },
      ]}
      onItemClick={({ detail }) => {
        const written = detail.id === "boto3" ? asBoto3 : asCommand;
        Promise.resolve(typeof members === "function" ? (members as () => Promise<object>)() : members)
          .then((request) => navigator.clipboard.writeText(written(service, operation, request)))
          .then(
            () => notices.succeeded("Copied"),
            (error: unknown) => notices.failed("Not copied", error),
          );
      }}
    >
      Copy as
    </ButtonDropdown>
  );
}

/** `CreateModel` as boto3's `create_model` (or, with `-`, the CLI's `create-model`). */
export function snake(operation: string, by = "_"): string {
  return operation
    .replace(/([a-z0-9])([A-Z])/g, `$1${by}$2`)
    .replace(/([A-Z]+)([A-Z][a-z])/g, `$1${by}$2`)
    .toLowerCase();
}

export function asBoto3(service: string, operation: string, members: object): string {
  const given = Object.entries(members)
    .map(([name, value]) => `    ${name}=${python(value, 1)},\n`)
    .join("");
  return `import boto3\n\nclient = boto3.client("${service}")\nclient.${snake(operation)}(${given ? `\n${given}` : ""})\n`;
}

export function asCommand(service: string, operation: string, members: object): string {
  const json = JSON.stringify(members).replaceAll("'", `'"'"'`);
  return `aws ${service} ${snake(operation, "-")} --cli-input-json '${json}'`;
}

function python(value: unknown, depth: number): string {
  const pad = "    ".repeat(depth + 1);
  const end = "    ".repeat(depth);
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) {
    return value.length ? `[\n${value.map((item) => `${pad}${python(item, depth + 1)},\n`).join("")}${end}]` : "[]";
  }
  if (typeof value === "object") {
    const items = Object.entries(value).map(([key, item]) => `${pad}${JSON.stringify(key)}: ${python(item, depth + 1)},\n`);
    return items.length ? `{\n${items.join("")}${end}}` : "{}";
  }
  return JSON.stringify(value);
}
