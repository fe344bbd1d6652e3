import type { Hyperparameter } from "../../api/algorithms";

const TYPES: Record<string, string> = { Integer: "Whole number", Continuous: "Number", Categorical: "Choice", FreeText: "Text" };

/** What kind of value a hyperparameter has, in words. */
export function typeOf(parameter: Hyperparameter): string {
  return TYPES[parameter.type] ?? parameter.type;
}

/** The range for automatic tuning, in words. */
export function tuning({ tunable, recommended, type }: Hyperparameter): string {
  if (!tunable) return "-";
  return type === "Categorical" ? recommended.join(", ") : recommended.join(" to ");
}
