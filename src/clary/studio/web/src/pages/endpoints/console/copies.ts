import { invocationUrl } from "../address";
import type { Question } from "./exchange";

/** A request as Python code with boto3. */
export function asBoto3(endpoint: string, question: Question): string {
  const body = question.file ? `open(${JSON.stringify(question.file)}, "rb")` : python(question.body);
  const lines = [
    ["EndpointName", JSON.stringify(endpoint)],
    ["ContentType", JSON.stringify(question.contentType)],
    ...(question.accept ? [["Accept", JSON.stringify(question.accept)]] : []),
    ...(question.variant ? [["TargetVariant", JSON.stringify(question.variant)]] : []),
    ["Body", body],
  ];
  const given = lines.map(([name, value]) => `    ${name ?? ""}=${value ?? ""},\n`).join("");
  return `import boto3\n\nruntime = boto3.client("sagemaker-runtime")\nanswer = runtime.invoke_endpoint(\n${given})\nprint(answer["Body"].read().decode())\n`;
}

/** A request as a command of the AWS CLI. */
export function asCommand(endpoint: string, question: Question): string {
  const parts = [
    "aws sagemaker-runtime invoke-endpoint",
    `--endpoint-name ${quoted(endpoint)}`,
    `--content-type ${quoted(question.contentType)}`,
    ...(question.accept ? [`--accept ${quoted(question.accept)}`] : []),
    ...(question.variant ? [`--target-variant ${quoted(question.variant)}`] : []),
    question.file ? `--body ${quoted(`fileb://${question.file}`)}` : `--cli-binary-format raw-in-base64-out --body ${quoted(question.body)}`,
    "/dev/stdout",
  ];
  return parts.join(" \\\n  ");
}

/** A request as a command of curl, which signs it with the keys in the environment. */
export function asCurl(endpoint: string, question: Question, region: string): string {
  const parts = [
    `curl ${quoted(invocationUrl(endpoint))}`,
    `--aws-sigv4 ${quoted(`aws:amz:${region}:sagemaker`)} --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"`,
    `--header ${quoted(`Content-Type: ${question.contentType}`)}`,
    ...(question.accept ? [`--header ${quoted(`Accept: ${question.accept}`)}`] : []),
    ...(question.variant ? [`--header ${quoted(`X-Amzn-SageMaker-Target-Variant: ${question.variant}`)}`] : []),
    `--data-binary ${quoted(question.file ? `@${question.file}` : question.body)}`,
  ];
  return parts.join(" \\\n  ");
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** Text as a literal of bytes; what is not ASCII is encoded as Python does it. */
function python(text: string): string {
  const literal = JSON.stringify(text);
  return /^[\x20-\x7e]*$/.test(text.replace(/\s/g, "")) ? `b${literal}` : `${literal}.encode()`;
}
