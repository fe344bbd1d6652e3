import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";

import type { TransformJobDescription } from "./transform";

const OPEN = "As the container says";
const STRATEGIES: Record<string, string> = { MultiRecord: "As many records as fit", SingleRecord: "One record" };
const USUAL_SECONDS = 600;
const USUAL_RETRIES = 3;

/** How a transform job asks its model. */
export function Requests({ job }: { job: TransformJobDescription }) {
  const { InvocationsTimeoutInSeconds: seconds = USUAL_SECONDS, InvocationsMaxRetries: retries = USUAL_RETRIES } = job.ModelClientConfig ?? {};
  const payload = job.MaxPayloadInMB;
  return (
    <Container header={<Header>Requests</Header>}>
      <KeyValuePairs
        columns={4}
        minColumnWidth={180}
        items={[
          { label: "In a request", value: STRATEGIES[job.BatchStrategy ?? ""] ?? OPEN },
          { label: "Largest request", value: payload === undefined ? OPEN : payload === 0 ? "Any size, in chunks" : `${payload} MB` },
          { label: "At once", value: job.MaxConcurrentTransforms || OPEN },
          { label: "Given up after", value: `${seconds} s, ${retries === 0 ? "not made again" : `made again up to ${retries} ${retries === 1 ? "time" : "times"}`}` },
        ]}
      />
    </Container>
  );
}
