import { request } from "../../../api/client";
import { ApiError, told } from "../../../api/errors";

/** What is sent to an endpoint. */
export interface Question {
  body: string;
  contentType: string;
  accept: string;
  /** The variant that shall answer; by weight where it is empty. */
  variant: string;
  /** The name of the file that is sent in the place of the body. */
  file?: string;
}

/** What came back. */
export interface Answer {
  ok: boolean;
  status: number;
  milliseconds: number;
  bytes: number;
  contentType: string;
  variant: string;
  /** The body as text; empty where it is none. */
  text: string;
  isText: boolean;
  headers: Record<string, string>;
  error?: { code: string; message: string; container?: { status: number; variant: string; message: string } };
}

/** Call InvokeEndpoint; a refusal is an answer too. Raises only where the request was given up. */
export async function invoke(endpoint: string, question: Question, content: BodyInit, signal: AbortSignal): Promise<Answer> {
  const headers: Record<string, string> = { "content-type": question.contentType, accept: question.accept || "*/*" };
  if (question.variant) headers["x-amzn-sagemaker-target-variant"] = question.variant;
  const began = performance.now();
  try {
    const response = await request(`invoke/${encodeURIComponent(endpoint)}`, { method: "POST", headers, body: content, signal });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const milliseconds = performance.now() - began;
    const text = decoded(bytes);
    return {
      ok: true,
      status: response.status,
      milliseconds,
      bytes: bytes.length,
      contentType: response.headers.get("content-type") ?? "",
      variant: response.headers.get("x-amzn-invoked-production-variant") ?? "",
      text: text ?? "",
      isText: text !== null,
      headers: Object.fromEntries([...response.headers.entries()].filter(([name]) => !HIDDEN.has(name))),
    };
  } catch (error) {
    if (signal.aborted) throw error;
    const milliseconds = performance.now() - began;
    const { code, message } = told(error);
    const container = ofContainer(message);
    return {
      ok: false,
      status: error instanceof ApiError ? error.status : 0,
      milliseconds,
      bytes: 0,
      contentType: "",
      variant: container?.variant ?? "",
      text: "",
      isText: true,
      headers: {},
      error: { code, message, ...(container ? { container } : {}) },
    };
  }
}

// What the connection needs and what the session is kept by tells nothing of the model.
const HIDDEN = new Set(["connection", "date", "server", "set-cookie", "transfer-encoding", "content-encoding", "vary"]);

/** What the model's container itself said, within the words of ModelError. */
function ofContainer(message: string): { status: number; variant: string; message: string } | undefined {
  const found = /^Received (?:client|server) error \((\d+)\) from (\S+) with message "([\s\S]*)"\. See the log group/.exec(message);
  return found ? { status: Number(found[1]), variant: found[2] ?? "", message: found[3] ?? "" } : undefined;
}

function decoded(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\u0000") ? null : text;
  } catch {
    return null;
  }
}
