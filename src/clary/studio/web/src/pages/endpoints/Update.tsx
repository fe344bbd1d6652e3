import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";

import { call } from "../../api/client";
import { told } from "../../api/errors";
import { ResourceSelect } from "../../kit/ResourceSelect";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
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
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const config = usePolling(async (signal) => (chosen ? describeConfig(chosen, signal) : null), [chosen]);

  async function update() {
    setBusy(true);
    setProblem("");
    try {
      await call("sagemaker", "UpdateEndpoint", { EndpointName: endpoint, EndpointConfigName: chosen });
      onDismiss();
      onDone();
    } catch (error) {
      setProblem(told(error).message);
      setBusy(false);
    }
  }

  return (
    <Modal
      visible
      size="large"
      onDismiss={onDismiss}
      header={`Update ${endpoint}`}
      closeAriaLabel="Close"
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onDismiss}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={!chosen} onClick={() => void update()}>
              Update
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="l">
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
        {problem && <Alert type="error">{problem}</Alert>}
      </SpaceBetween>
    </Modal>
  );
}
