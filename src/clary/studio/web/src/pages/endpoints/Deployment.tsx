import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Steps, { type StepsProps } from "@cloudscape-design/components/steps";

import { Time } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { alarmsOf, type DeploymentConfig, told } from "./deployment";
import { describeConfig, type PendingDeployment } from "./endpoint";
import { Variants } from "./Variants";

/** An update that is under way: what it brings, how far it has come, and what takes it back. */
export function Deployment({ pending, config }: { pending: PendingDeployment; config: DeploymentConfig | undefined }) {
  const name = pending.EndpointConfigName;
  const described = usePolling((signal) => describeConfig(name, signal).catch(() => null), [name]);
  const variants = pending.ProductionVariants ?? [];
  const bakes = variants.some((each) => each.VariantStatus?.some(({ Status }) => Status === "Baking"));
  const steps: StepsProps.Step[] = [
    { status: bakes ? "success" : "in-progress", header: "New servers start beside the old ones" },
    { status: bakes ? "in-progress" : "pending", header: "The traffic moves", details: told(config) },
    { status: "pending", header: "The old servers finish what they have, and go" },
  ];
  return (
    <Container header={<Header description="The endpoint answers all the while">Update under way</Header>}>
      <SpaceBetween size="l">
        <KeyValuePairs
          columns={3}
          minColumnWidth={200}
          items={[
            { label: "New configuration", value: <To path={below("endpoint-configs", name)}>{name}</To> },
            { label: "Began", value: <Time at={pending.StartTime} /> },
            { label: "Taken back by", value: alarmsOf(config).join(", ") || "Servers that do not become healthy" },
          ]}
        />
        <Steps steps={steps} ariaLabel="Progress of the update" />
        <Variants title="New variants" share="Share then" summaries={variants} config={described.value ?? null} loading={described.loading} />
      </SpaceBetween>
    </Container>
  );
}
