import Popover from "@cloudscape-design/components/popover";

import type { Hyperparameter } from "../../api/algorithms";

/** More names than these make a row of a table too high. */
const MOST_NAMES = 6;

/** What a hyperparameter may be; many names are shown on request. */
export function Range({ parameter }: { parameter: Hyperparameter }) {
  const { range } = parameter;
  const names = range.split(", ");
  if (names.length <= MOST_NAMES) return <>{range || "Any"}</>;
  return (
    <Popover size="large" header={parameter.name} content={<span className="clary-mono">{range}</span>} dismissAriaLabel="Close">
      {names.length} names
    </Popover>
  );
}
