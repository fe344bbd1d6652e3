import ColumnLayout from "@cloudscape-design/components/column-layout";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Multiselect from "@cloudscape-design/components/multiselect";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { call } from "../../api/client";
import { usePolling } from "../../kit/usePolling";
import { type Choice, mistakes, routed, type Routing } from "./deployment";

const ROUTINGS: { value: Routing; label: string; description: string }[] = [
  { value: "ALL_AT_ONCE", label: "All at once", description: "As soon as the new servers are healthy" },
  { value: "CANARY", label: "Canary", description: "A part of it first; the rest after a while" },
  { value: "LINEAR", label: "Linear", description: "In equal steps, with a while after each" },
];
const UNITS = [
  { value: "CAPACITY_PERCENT", label: "percent" },
  { value: "INSTANCE_COUNT", label: "instances" },
];
const OFFERED = 100;

/** Chooses how the traffic moves to another configuration, and which alarms take it back. */
export function DeploymentForm({ value, onChange }: { value: Choice; onChange: (choice: Choice) => void }) {
  const wrong = mistakes(value);
  const alarms = usePolling(async (signal) => {
    const found = await call<{ MetricAlarms?: { AlarmName: string; StateValue?: string }[] }>("cloudwatch", "DescribeAlarms", { MaxRecords: OFFERED }, signal);
    return (found.MetricAlarms ?? []).map(({ AlarmName: name, StateValue: state = "" }) => ({ value: name, label: name, description: state }));
  }, []);
  const parts = value.routing !== "ALL_AT_ONCE";
  return (
    <SpaceBetween size="m">
      <FormField label="How the traffic moves">
        <RadioGroup items={ROUTINGS} value={value.routing} onChange={({ detail }) => onChange(routed(value, detail.value as Routing))} ariaLabel="How the traffic moves" />
      </FormField>
      <ColumnLayout columns={3}>
        {parts && (
          <FormField label={value.routing === "CANARY" ? "Canary" : "Step"} errorText={wrong.size}>
            <Input value={value.size} onChange={({ detail }) => onChange({ ...value, size: detail.value })} type="number" inputMode="numeric" />
          </FormField>
        )}
        {parts && (
          <FormField label="Of the new servers">
            <Select
              selectedOption={UNITS.find((each) => each.value === value.unit) ?? null}
              options={UNITS}
              onChange={({ detail }) => onChange({ ...value, unit: detail.selectedOption.value as Choice["unit"] })}
              ariaLabel="Of the new servers"
            />
          </FormField>
        )}
        <FormField label="Wait (seconds)" errorText={wrong.wait}>
          <Input value={value.wait} onChange={({ detail }) => onChange({ ...value, wait: detail.value })} type="number" inputMode="numeric" />
        </FormField>
      </ColumnLayout>
      <FormField label="Alarms" description="If one of them goes off before the update has ended, the traffic goes back">
        <Multiselect
          selectedOptions={value.alarms.map((name) => ({ value: name, label: name }))}
          options={alarms.value ?? []}
          onChange={({ detail }) => onChange({ ...value, alarms: detail.selectedOptions.flatMap((option) => (option.value ? [option.value] : [])) })}
          statusType={alarms.error ? "error" : alarms.value ? "finished" : "loading"}
          loadingText="Looking"
          errorText="The alarms cannot be listed"
          filteringType="auto"
          filteringAriaLabel="Find an alarm"
          deselectAriaLabel={(option) => `Remove ${option.label ?? ""}`}
          placeholder="None"
          empty="There are no alarms"
          ariaLabel="Alarms"
        />
      </FormField>
    </SpaceBetween>
  );
}
