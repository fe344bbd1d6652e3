import { below, To } from "./To";

/** A role by its name, leading to its page. */
export function RoleLink({ arn }: { arn: unknown }) {
  const name = typeof arn === "string" ? arn.split("/").pop() : "";
  return name ? <To path={below("access", "roles", name)}>{name}</To> : <>-</>;
}
