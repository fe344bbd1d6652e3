export interface Entry {
  name: string;
  size: number;
}

const BLOCK = 512;
const MOST_ENTRIES = 2000;

/** What lies in an archive; nothing of it is unpacked but the names. */
export async function entries(archive: ArrayBuffer, kind: "tar" | "tar.gz" | "zip"): Promise<Entry[]> {
  if (kind === "zip") return zipEntries(archive);
  const stream = new Blob([archive]).stream();
  return tarEntries(kind === "tar.gz" ? stream.pipeThrough(new DecompressionStream("gzip")) : stream);
}

/** The headers of a tar archive, read as it passes, so that what is large when unpacked is never held. */
async function tarEntries(stream: ReadableStream<Uint8Array>): Promise<Entry[]> {
  const reader = stream.getReader();
  const found: Entry[] = [];
  let held = new Uint8Array(0);
  let skip = 0;
  let longName = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return found;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
    for (;;) {
      if (skip > 0) {
        const step = Math.min(skip, held.length);
        held = held.subarray(step);
        skip -= step;
      }
      if (skip > 0 || held.length < BLOCK) break;
      const header = held.subarray(0, BLOCK);
      if (header.every((byte) => byte === 0)) {
        held = held.subarray(BLOCK);
        continue;
      }
      const size = octal(header, 124, 12);
      const type = String.fromCharCode(header[156] ?? 0);
      const padded = Math.ceil(size / BLOCK) * BLOCK;
      // GNU and pax put long names into an entry before.
      if (type === "L" || type === "x") {
        if (held.length < BLOCK + padded) break;
        const text = ascii(held, BLOCK, size);
        longName = type === "L" ? text : (/\d+ path=(.*)\n/.exec(text)?.[1] ?? "");
        held = held.subarray(BLOCK + padded);
        continue;
      }
      const prefix = ascii(header, 345, 155);
      const name = longName || (prefix ? `${prefix}/` : "") + ascii(header, 0, 100);
      longName = "";
      if (type === "0" || type === "\0" || type === "5") found.push({ name, size });
      if (found.length >= MOST_ENTRIES) {
        await reader.cancel();
        return found;
      }
      held = held.subarray(BLOCK);
      skip = padded;
    }
  }
}

function zipEntries(archive: ArrayBuffer): Entry[] {
  const view = new DataView(archive);
  const found: Entry[] = [];
  let end = archive.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new Error("This is not a zip archive");
  let at = view.getUint32(end + 16, true);
  while (at + 46 <= archive.byteLength && view.getUint32(at, true) === 0x02014b50 && found.length < MOST_ENTRIES) {
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(new Uint8Array(archive, at + 46, nameLength));
    found.push({ name, size: view.getUint32(at + 24, true) });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return found;
}

function ascii(bytes: Uint8Array, from: number, length: number): string {
  const text = new TextDecoder().decode(bytes.subarray(from, from + length));
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

function octal(bytes: Uint8Array, from: number, length: number): number {
  return Number.parseInt(ascii(bytes, from, length).trim() || "0", 8);
}
