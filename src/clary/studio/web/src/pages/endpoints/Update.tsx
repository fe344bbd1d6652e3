import Box from "@cloudscape-design/components/box";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import { useState } from "react";

import { call } from "../../api/client";
import { Dialog } from "../../kit/Dialog";
import { ResourceSelect } from "../../kit/ResourceSelect";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { type Choice, configOf, mistakes, USUAL } from "./deployment";
import { DeploymentForm } from "./DeploymentForm";
import { describeConfig } from "./endpoint";
import { Variants } from "./Variants";

interface Props {
  endpoint: string;
  current: string;
  onDismiss: () => void;
  onDone: () => void;
}

/** Has an endpoint serve another configuration. */
export function Update({ endpoint, current, onDismiss, onDone }: Props) {
  const [chosen, setChosen] = useState("");
  const [choice, setChoice] = useState<Choice>(USUAL);
  const [kept, setKept] = useState(false);
  const deployment = configOf(choice);
  const config = usePolling(async (signal) => (chosen ? describeConfig(chosen, signal) : null), [chosen]);

  return (
    <Dialog
      size="large"
      title={`Update ${endpoint}`}
      verb="Update"
      ready={Boolean(chosen) && Object.keys(mistakes(choice)).length === 0}
      onDismiss={onDismiss}
      onConfirm={async () => {
        await call("sagemaker", "UpdateEndpoint", {
          EndpointName: endpoint,
          EndpointConfigName: chosen,
          ...(deployment ? { DeploymentConfig: deployment } : {}),
          ...(kept ? { RetainAllVariantProperties: true } : {}),
        });
        onDone();
      }}
    >
      <Box>
        It serves <To path={below("endpoint-configs", current)}>{current}</To> now. The new servers start beside the old ones and take over when they are
        healthy; no request is lost. If they do not become healthy, everything stays as it is.
      </Box>
      <FormField label="New configuration">
        <ResourceSelect
          operation="ListEndpointConfigs"
          rows="EndpointConfigs"
          name="EndpointConfigName"
          label="New configuration"
          value={chosen}
          onChange={setChosen}
          except={[current]}
        />
      </FormField>
      {chosen && config.value && <Variants summaries={[]} config={config.value} loading={config.loading} />}
      <Checkbox checked={kept} onChange={({ detail }) => setKept(detail.checked)} description="Variants that the new configuration has too go on with the counts and weights of now">
        Keep weights and instances
      </Checkbox>
      <DeploymentForm value={choice} onChange={setChoice} />
    </Dialog>
  );
}
