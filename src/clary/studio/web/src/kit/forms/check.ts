import type { Shape } from "../../api/model";

/** What is wrong with a value, by the path of the member: what the server would refuse too. */
export function mistakes(shape: Shape, value: unknown, path = "", found: Record<string, string> = {}): Record<string, string> {
  if (shape.type === "structure") {
    const given = (value ?? {}) as Record<string, unknown>;
    for (const member of shape.required ?? []) {
      if (given[member] === undefined) found[join(path, member)] = "This is required";
    }
    for (const [member, inner] of Object.entries(shape.members ?? {})) {
      if (given[member] !== undefined) mistakes(inner, given[member], join(path, member), found);
    }
  } else if (shape.type === "list" && Array.isArray(value)) {
    length(shape, value.length, path, "items", found);
    value.forEach((item, index) => shape.member && mistakes(shape.member, item, join(path, String(index)), found));
  } else if (shape.type === "map" && value && typeof value === "object") {
    length(shape, Object.keys(value).length, path, "entries", found);
    for (const [key, item] of Object.entries(value)) if (shape.value) mistakes(shape.value, item, join(path, key), found);
  } else if (typeof value === "string") {
    if (shape.enum && !shape.enum.includes(value)) found[path] = `Must be one of ${shape.enum.slice(0, 8).join(", ")}`;
    else if (!length(shape, value.length, path, "characters", found) && shape.pattern && !matches(shape.pattern, value)) {
      found[path] = `Must match ${shape.pattern}`;
    }
  } else if (typeof value === "number") {
    if (shape.min !== undefined && value < shape.min) found[path] = `Must be at least ${shape.min}`;
    if (shape.max !== undefined && value > shape.max) found[path] = `Must be at most ${shape.max}`;
  }
  return found;
}

/** A value without what was left empty. */
export function trimmed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(trimmed);
  if (value && typeof value === "object") {
    const kept = Object.entries(value)
      .map(([name, inner]) => [name, trimmed(inner)] as const)
      .filter(([, inner]) => inner !== undefined && inner !== "");
    return kept.length ? Object.fromEntries(kept) : undefined;
  }
  return value === "" ? undefined : value;
}

export function join(path: string, member: string): string {
  return path ? `${path}.${member}` : member;
}

function length(shape: Shape, size: number, path: string, what: string, found: Record<string, string>): boolean {
  if (shape.min !== undefined && size < shape.min) found[path] = `Needs at least ${shape.min} ${what}`;
  else if (shape.max !== undefined && size > shape.max) found[path] = `May have at most ${shape.max} ${what}`;
  else return false;
  return true;
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(value);
  } catch {
    // Written for another engine; the server will tell.
    return true;
  }
}
