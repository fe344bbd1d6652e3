/** A failure's reason in one line: what a script raised last, or else the first sentence. */
export function oneLine(reason: unknown): string {
  if (typeof reason !== "string" || !reason) return "";
  const raised = /ErrorMessage "([\s\S]*?)"\s*(?:ExtraInfo|Command|$|, exit code)/.exec(reason)?.[1];
  const lines = (raised ?? reason)
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  return (raised ? lines.at(-1) : lines[0]) ?? reason;
}
