import type { Compressors } from "hyparquet";
// Not `compressors`, which begins with WebAssembly for Snappy: the page's policy lets none run, and the reader has a Snappy of its own.
import { decompressBrotli, decompressGzip, decompressLz4, decompressLz4Raw, decompressZstd } from "hyparquet-compressors";

/** What unpacks the pages of a Parquet file, beside what its reader can do by itself. */
export const COMPRESSORS: Compressors = {
  GZIP: decompressGzip,
  BROTLI: decompressBrotli,
  ZSTD: (input) => decompressZstd(input),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};
