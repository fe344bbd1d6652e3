import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Popover from "@cloudscape-design/components/popover";
import Table from "@cloudscape-design/components/table";

import { shown } from "../../../kit/Chart";
import type { Dimension } from "../dimensions";
import { type Importance, importanceOf, LEAST_TRIALS } from "../importance";
import type { TrialsChart } from "./points";

/** How much of the objective goes with each hyperparameter, as bars and numbers. */
export function Importances({ dimensions, trials, direction }: TrialsChart & { dimensions: Dimension[] }) {
  const found = importanceOf(dimensions, trials, direction);
  const count = trials.filter((trial) => trial.value !== undefined).length;
  return (
    <Table
      variant="borderless"
      header={
        <Header variant="h3" actions={<Method />}>
          Importance of hyperparameters
        </Header>
      }
      items={found}
      trackBy="name"
      wrapLines
      columnDefinitions={[
        { id: "name", header: "Hyperparameter", isRowHeader: true, minWidth: 120, cell: (row) => row.name },
        { id: "share", header: "Share", width: 90, cell: (row) => percent(row.share) },
        { id: "bar", header: "Compared", minWidth: 110, cell: (row) => <div className="clary-bar" style={{ width: `${100 * row.share}%` }} /> },
        { id: "best", header: "Did best", minWidth: 130, cell: (row) => <span className="clary-reason">{best(row)}</span> },
      ]}
      empty={
        <Box textAlign="center" padding="m" color="text-body-secondary">
          This needs at least {LEAST_TRIALS} trials with a value of the objective; there {count === 1 ? "is" : "are"} {count}
        </Box>
      }
      ariaLabels={{ tableLabel: "Importance of hyperparameters" }}
    />
  );
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function best({ best: values }: Importance): string {
  if (typeof values === "string") return values;
  const [low, high] = values;
  return low === high ? shown(low) : `${shown(low)} to ${shown(high)}`;
}

function Method() {
  return (
    <Popover
      header="Adjusted correlation ratio of ranks"
      size="large"
      dismissAriaLabel="Close"
      triggerType="text"
      content={
        <>
          The trials that have a value are put into up to five groups of equal size by one hyperparameter, or one group for each category. The share is the part of the variance of the objective&apos;s ranks
          that lies between the groups, less what chance would give. It looks at each hyperparameter alone: what two of them do together it does not see, and where a search tried few values it knows little. A
          share is no promise that the other values would do worse.
        </>
      }
    >
      How it is computed
    </Popover>
  );
}
