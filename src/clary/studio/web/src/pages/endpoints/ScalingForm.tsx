import ColumnLayout from "@cloudscape-design/components/column-layout";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useState } from "react";

import { Dialog } from "../../kit/Dialog";
import { type Policy, register, type Target, track } from "./scaling";

interface Props {
  endpoint: string;
  variant: string;
  /** What holds now. */
  target: Target | undefined;
  /** The policy that keeps its requests, if there is one. */
  policy: Policy | undefined;
  onDismiss: () => void;
  onDone: () => void;
}

/** Has a variant scale with its requests, between two counts of instances. */
export function ScalingForm({ endpoint, variant, target, policy, onDismiss, onDone }: Props) {
  const [least, setLeast] = useState(String(target?.MinCapacity ?? 1));
  const [most, setMost] = useState(String(target?.MaxCapacity ?? 2));
  const [requests, setRequests] = useState(String(policy?.TargetTrackingScalingPolicyConfiguration?.TargetValue ?? (target ? "" : 1000)));
  const [low, high] = [Number(least), Number(most)];
  const isLow = Number.isInteger(low) && low >= 1;
  const isHigh = Number.isInteger(high) && high >= low;
  const isRequests = requests.trim() === "" || Number(requests) > 0;

  return (
    <Dialog
      title={`Scale ${variant}`}
      verb="Save"
      ready={isLow && isHigh && isRequests}
      onDismiss={onDismiss}
      onConfirm={async () => {
        await register(endpoint, variant, low, high);
        if (requests.trim()) await track(endpoint, variant, Number(requests), policy);
        onDone();
      }}
    >
      <ColumnLayout columns={2}>
        <FormField label="Least instances" errorText={isLow ? "" : "A whole number, at least 1"}>
          <Input value={least} onChange={({ detail }) => setLeast(detail.value)} inputMode="numeric" />
        </FormField>
        <FormField label="Most instances" errorText={isHigh ? "" : "A whole number, at least the least"}>
          <Input value={most} onChange={({ detail }) => setMost(detail.value)} inputMode="numeric" />
        </FormField>
      </ColumnLayout>
      <FormField
        label="Requests a minute for each instance"
        description="More than that for three minutes adds instances, clearly less for fifteen takes some away. Left empty, policies stay as they are."
        errorText={isRequests ? "" : "A number above 0"}
      >
        <Input value={requests} onChange={({ detail }) => setRequests(detail.value)} inputMode="decimal" />
      </FormField>
    </Dialog>
  );
}
