import { operation, type Shape } from "../../api/model";
import { trimmed } from "./check";

type Members = Record<string, unknown>;

/** The request that would make again what a Describe answer shows: its members that the operation takes. */
export async function requestOf(service: string, name: string, described: Members): Promise<Members> {
  const { input } = await operation(service, name);
  return input ? ((trimmed(taken(input, described)) ?? {}) as Members) : {};
}

function taken(shape: Shape, value: unknown): unknown {
  if (shape.type === "structure" && shape.members && value && typeof value === "object") {
    const members = shape.members;
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, inner]) => {
        const known = members[name];
        return known ? [[name, taken(known, inner)]] : [];
      }),
    );
  }
  const { member } = shape;
  return shape.type === "list" && member && Array.isArray(value) ? value.map((item) => taken(member, item)) : value;
}
