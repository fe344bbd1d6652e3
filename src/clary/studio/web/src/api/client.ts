import { ApiError } from "./errors";

/** The members of a request or an answer, named as AWS names them. */
export type Members = Record<string, unknown>;

let region = "";

/** All further calls go to this region. */
export function setRegion(name: string): void {
  region = name;
}

/** The address of something below the public path that Studio lives under. */
export function address(path: string): string {
  return new URL(`../_clary/studio/${path}`, document.baseURI).toString();
}

/** One request with the session's cookie; raises ApiError for every answer that is not 2xx. */
export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  headers.set("x-clary-studio", "1");
  if (region) headers.set("x-clary-region", region);
  const response = await fetch(address(path), { ...options, headers, credentials: "same-origin", redirect: "error" });
  if (!response.ok) throw await failure(response);
  return response;
}

/** Call an operation of a service, as its API reference describes it. */
export async function call<Answer = Members>(
  service: string,
  operation: string,
  members: object = {},
  signal?: AbortSignal,
): Promise<Answer> {
  const response = await request(`call/${service}/${operation}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(members),
    signal: signal ?? null,
  });
  return (await response.json()) as Answer;
}

/** Follow NextToken through all pages, up to `most` of them. */
export async function pages<Answer extends { NextToken?: string }>(
  service: string,
  operation: string,
  members: object = {},
  most = 10,
  signal?: AbortSignal,
): Promise<Answer[]> {
  const found: Answer[] = [];
  let token: string | undefined;
  do {
    const page: Answer = await call<Answer>(service, operation, token ? { ...members, NextToken: token } : members, signal);
    found.push(page);
    token = page.NextToken;
  } while (token && found.length < most);
  return found;
}

async function failure(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as { __type?: string; code?: string; message?: string; Message?: string };
    const code = (body.__type ?? body.code ?? "Error").split("#").pop() ?? "Error";
    return new ApiError(code, body.message ?? body.Message ?? response.statusText, response.status);
  } catch {
    const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1];
    const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
    return new ApiError(code ?? `Http${response.status}`, message ?? (response.statusText || text.slice(0, 200)), response.status);
  }
}
