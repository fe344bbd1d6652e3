/** Save something that is in the browser as a file on the person's machine. */
export function download(name: string, parts: BlobPart[], type = "text/plain"): void {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
