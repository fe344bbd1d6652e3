const STAMP = /-\d{4}(-\d{2}){5}(-\d{3})?$/;
const LONGEST = 63;

/** A name that nothing has yet: `base` with the time behind it, as SageMaker's SDK names jobs. */
export function newName(base: string): string {
  const now = new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-");
  const stem = base.replace(STAMP, "");
  return `${stem.slice(0, LONGEST - now.length - 1).replace(/-+$/, "")}-${now}`;
}

/** The part of an image's address that people know it by. */
export function shortImage(image: string | undefined): string {
  return image?.split("/").pop() ?? "";
}
