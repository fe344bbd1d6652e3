import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";

import { timesIn, type TrainingJobDescription } from "./training";

/** How often a training job may be tried again where Clary fails, and how often it was. */
export function Retries({ job }: { job: TrainingJobDescription }) {
  const most = job.RetryStrategy?.MaximumRetryAttempts;
  if (!most) return null;
  return (
    <Container header={<Header description="After failures of the platform; what the script does wrong is not tried again.">Retries</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "At most", value: most },
          { label: "Restarted", value: timesIn("Restarting", job) },
        ]}
      />
    </Container>
  );
}
