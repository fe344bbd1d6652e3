export interface TableOf {
  columns: string[];
  rows: string[][];
  cut: boolean;
  /** How many rows there are in all, where the file tells. */
  total?: number;
}

export type Kind = "csv" | "json" | "parquet" | "image" | "tar" | "tar.gz" | "zip" | "text";

export const MOST_ROWS = 200;

/** What a file is, by its name. */
export function kindOf(name: string): Kind {
  const lower = name.toLowerCase();
  if (/\.(csv|tsv)$/.test(lower)) return "csv";
  if (/\.json$/.test(lower)) return "json";
  if (/\.(parquet|pq)$/.test(lower)) return "parquet";
  if (/\.(png|jpe?g|gif|webp|bmp)$/.test(lower)) return "image";
  if (/\.(tar\.gz|tgz)$/.test(lower)) return "tar.gz";
  if (/\.tar$/.test(lower)) return "tar";
  if (/\.zip$/.test(lower)) return "zip";
  return "text";
}

/** The first rows of comma- or tab-separated text (RFC 4180); the first is a header where it holds no number. */
export function commaSeparated(text: string, cut: boolean): TableOf {
  const separator = (text.split("\n", 1)[0] ?? "").includes("\t") ? "\t" : ",";
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  for (let at = 0; at < text.length && rows.length <= MOST_ROWS; at += 1) {
    const sign = text[at];
    if (quoted) {
      if (sign !== '"') field += sign;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && field === "") quoted = true;
    else if (sign === separator) {
      row.push(field);
      field = "";
    } else if (sign === "\n" || sign === "\r") {
      if (sign === "\r" && text[at + 1] === "\n") at += 1;
      row.push(field);
      if (row.length > 1 || row[0] !== "") rows.push(row);
      row = [];
      field = "";
    } else field += sign;
  }
  // The last line of a text that was cut may be only a part.
  if (!cut && (field || row.length)) rows.push([...row, field]);
  const first = rows[0] ?? [];
  const named = first.length > 0 && first.every((value) => value !== "" && Number.isNaN(Number(value)));
  const body = named ? rows.slice(1) : rows;
  const columns = named ? first : first.map((_, index) => `Column ${index + 1}`);
  return { columns, rows: body.slice(0, MOST_ROWS), cut: cut || body.length > MOST_ROWS };
}

interface RangeReader {
  byteLength: number;
  slice: (start: number, end?: number) => Promise<ArrayBuffer>;
}

/** The first rows of a Parquet file; only its footer and the pages with them are read. */
export async function parquet(file: RangeReader): Promise<TableOf> {
  const [{ parquetMetadataAsync, parquetReadObjects }, { COMPRESSORS }] = await Promise.all([import("hyparquet"), import("./compressors")]);
  const metadata = await parquetMetadataAsync(file);
  const total = Number(metadata.num_rows);
  const found = await parquetReadObjects({ file, metadata, compressors: COMPRESSORS, rowStart: 0, rowEnd: Math.min(total, MOST_ROWS) });
  const columns = metadata.schema.slice(1).filter((element) => !element.num_children).map((element) => element.name);
  const names = found[0] ? Object.keys(found[0]) : columns;
  return { columns: names, rows: found.map((row) => names.map((name) => shown(row[name]))), cut: total > MOST_ROWS, total };
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "object") return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner));
  return String(value);
}
