import { request } from "./client";

export interface Bucket {
  name: string;
  created: number;
}

export interface ObjectRow {
  key: string;
  size: number;
  modified: number;
  etag: string;
}

export interface Listing {
  folders: string[];
  objects: ObjectRow[];
  next: string | undefined;
}

/** All buckets of the account. */
export async function buckets(signal?: AbortSignal): Promise<Bucket[]> {
  const document = await xml("s3/", signal);
  return all(document, "Bucket").map((each) => ({ name: text(each, "Name"), created: seconds(text(each, "CreationDate")) }));
}

/** One page of what lies directly below a prefix. */
export async function list(bucket: string, prefix: string, token: string | undefined, most: number, signal?: AbortSignal): Promise<Listing> {
  return listed(bucket, { delimiter: "/", prefix }, token, most, signal);
}

/** The objects below a prefix, in whatever folders, and whether there are more than `most`. */
export async function below(bucket: string, prefix: string, most: number, signal?: AbortSignal): Promise<{ objects: ObjectRow[]; more: boolean }> {
  const objects: ObjectRow[] = [];
  let token: string | undefined;
  do {
    const page = await listed(bucket, { prefix }, token, Math.min(1000, most - objects.length), signal);
    objects.push(...page.objects);
    token = page.next;
  } while (token && objects.length < most);
  return { objects, more: token !== undefined };
}

async function listed(bucket: string, where: Record<string, string>, token: string | undefined, most: number, signal?: AbortSignal): Promise<Listing> {
  const query = new URLSearchParams({ "list-type": "2", ...where, "max-keys": String(most) });
  if (token) query.set("continuation-token", token);
  const document = await xml(`s3/${encodeURIComponent(bucket)}?${query.toString()}`, signal);
  return {
    folders: all(document, "CommonPrefixes").map((each) => text(each, "Prefix")),
    objects: all(document, "Contents").map((each) => ({
      key: text(each, "Key"),
      size: Number(text(each, "Size")),
      modified: seconds(text(each, "LastModified")),
      etag: text(each, "ETag").replaceAll('"', ""),
    })),
    next: text(document.documentElement, "NextContinuationToken") || undefined,
  };
}

/** What an object is, without its content. */
export async function head(bucket: string, key: string, signal?: AbortSignal): Promise<Record<string, string>> {
  const response = await request(path(bucket, key), { method: "HEAD", signal: signal ?? null });
  return Object.fromEntries(response.headers.entries());
}

/** The bytes of an object, or those from `start` up to but without `end`. */
export async function read(bucket: string, key: string, range?: [number, number], signal?: AbortSignal): Promise<ArrayBuffer> {
  const headers: Record<string, string> = range ? { range: `bytes=${range[0]}-${range[1] - 1}` } : {};
  const response = await request(path(bucket, key), { headers, signal: signal ?? null });
  return response.arrayBuffer();
}

export async function write(bucket: string, key: string, content: Blob): Promise<void> {
  await request(path(bucket, key), {
    method: "PUT",
    body: content,
    headers: { "content-type": content.type || "application/octet-stream" },
  });
}

export async function remove(bucket: string, key: string): Promise<void> {
  await request(path(bucket, key), { method: "DELETE" });
}

export async function createBucket(bucket: string): Promise<void> {
  await request(`s3/${encodeURIComponent(bucket)}`, { method: "PUT" });
}

export async function deleteBucket(bucket: string): Promise<void> {
  await request(`s3/${encodeURIComponent(bucket)}`, { method: "DELETE" });
}

/** Save an object as a file on the person's machine. */
export async function download(bucket: string, key: string): Promise<void> {
  const response = await request(path(bucket, key));
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = key.split("/").pop() ?? key;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function path(bucket: string, key: string): string {
  return `s3/${encodeURIComponent(bucket)}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

async function xml(place: string, signal?: AbortSignal): Promise<Document> {
  const response = await request(place, { signal: signal ?? null });
  return new DOMParser().parseFromString(await response.text(), "application/xml");
}

function all(document: Document, name: string): Element[] {
  return [...document.getElementsByTagName(name)];
}

function text(element: Element, name: string): string {
  return element.getElementsByTagName(name)[0]?.textContent ?? "";
}

function seconds(moment: string): number {
  return Date.parse(moment) / 1000;
}
