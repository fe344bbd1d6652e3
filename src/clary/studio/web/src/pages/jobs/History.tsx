import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import Steps, { type StepsProps } from "@cloudscape-design/components/steps";

import { words } from "../../kit/Status";
import { duration, exactly } from "../../kit/Time";
import type { Transition } from "./training";

const STATUSES: Record<string, StepsProps.Status> = { Completed: "success", Failed: "error", Stopped: "stopped", MaxRuntimeExceeded: "stopped", MaxWaitTimeExceeded: "stopped", Interrupted: "warning", Restarting: "warning" };

/** The stages that a training job went through. */
export function History({ transitions }: { transitions: Transition[] }) {
  return (
    <Container header={<Header>History</Header>}>
      <Steps
        ariaLabel="History"
        steps={transitions.map((step, index) => ({
          status: STATUSES[step.Status] ?? (step.EndTime !== undefined || index < transitions.length - 1 ? "success" : "in-progress"),
          header: words(step.Status),
          details: (
            <Box color="text-body-secondary">
              {exactly(step.StartTime)}
              {step.EndTime !== undefined && ` · ${duration(step.EndTime - step.StartTime)}`}
              {step.StatusMessage && ` · ${step.StatusMessage}`}
            </Box>
          ),
        }))}
      />
    </Container>
  );
}
