import ColumnLayout from "@cloudscape-design/components/column-layout";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";

import type { Members } from "../../api/client";

const CONFIG = "HyperParameterTuningJobConfig";
/** What is said of each strategy. */
const STRATEGIES: Record<string, string> = {
  Bayesian: "Learns from the trials that have ended where to look next",
  Random: "Tries values by chance; all trials can run at once",
  Grid: "Tries every combination; categorical ranges alone",
  Hyperband: "Tries many, and gives time to those that do well",
};
const TYPES = [
  { value: "Maximize", label: "Maximize" },
  { value: "Minimize", label: "Minimize" },
];
const STOPPING = [
  { value: "Off", label: "No" },
  { value: "Auto", label: "Those without prospects" },
];

const CONVERGENCE = [
  { value: "Disabled", label: "No" },
  { value: "Enabled", label: "Yes" },
];
const CONVERGED = ["TuningJobCompletionCriteria", "ConvergenceDetected", "CompleteOnConvergence"];

interface Props {
  value: Members;
  onChange: (value: Members) => void;
  problems: Record<string, string>;
  config: Members;
  onConfig: (config: Members) => void;
  strategies: string[];
  /** Whether there are several definitions, which have objectives of their own. */
  several: boolean;
}

/** What is searched for, how, how long, and when it ends. */
export function SearchFields({ value, onChange, problems, config, onConfig, strategies, several }: Props) {
  const strategy = String(config["Strategy"] ?? "");
  const isHyperband = strategy === "Hyperband";
  const options = strategies.map((each) => ({ value: each, label: each, description: STRATEGIES[each] ?? "" }));
  const at = (path: string) => problems[`${CONFIG}.${path}`];
  /** A member of a structure of the configuration, however deep; without a value it is left out. */
  const read = (path: string[]) => path.reduce<unknown>((found, member) => (found as Members | undefined)?.[member], config);
  const write = (path: string[], next: unknown) => onConfig(put(config, path, next));
  const number = (path: string[]) => ({
    value: String(read(path) ?? ""),
    type: "number" as const,
    onChange: ({ detail }: { detail: { value: string } }) => write(path, detail.value === "" ? undefined : Number(detail.value)),
  });
  const chosen = (choices: { value: string; label: string }[], path: string[]) => choices.find((choice) => choice.value === read(path)) ?? null;
  return (
    <SpaceBetween size="m">
      <FormField label="Name" constraintText="Letters, digits and hyphens, at most 32" errorText={problems["HyperParameterTuningJobName"]}>
        <Input value={String(value["HyperParameterTuningJobName"] ?? "")} onChange={({ detail }) => onChange({ ...value, HyperParameterTuningJobName: detail.value })} />
      </FormField>
      <ColumnLayout columns={3}>
        <FormField label="Strategy" description="How it looks for the best" errorText={at("Strategy")}>
          <Select selectedOption={options.find((option) => option.value === strategy) ?? null} options={options} onChange={({ detail }) => write(["Strategy"], detail.selectedOption.value)} ariaLabel="Strategy" placeholder="Choose a strategy" />
        </FormField>
        {!several && (
          <FormField label="Objective" description="A metric that the training jobs report" errorText={at("HyperParameterTuningJobObjective.MetricName")}>
            <Input
              value={String(read(["HyperParameterTuningJobObjective", "MetricName"]) ?? "")}
              onChange={({ detail }) => write(["HyperParameterTuningJobObjective", "MetricName"], detail.value)}
              placeholder="validation:accuracy"
              spellcheck={false}
            />
          </FormField>
        )}
        {!several && (
          <FormField label="Direction" description="Which values are better" errorText={at("HyperParameterTuningJobObjective.Type")}>
            <Select selectedOption={chosen(TYPES, ["HyperParameterTuningJobObjective", "Type"])} options={TYPES} onChange={({ detail }) => write(["HyperParameterTuningJobObjective", "Type"], detail.selectedOption.value)} ariaLabel="Direction" />
          </FormField>
        )}
      </ColumnLayout>
      <ColumnLayout columns={3}>
        <FormField label="Training jobs at most" errorText={at("ResourceLimits.MaxNumberOfTrainingJobs")}>
          <Input {...number(["ResourceLimits", "MaxNumberOfTrainingJobs"])} />
        </FormField>
        <FormField label="At once" errorText={at("ResourceLimits.MaxParallelTrainingJobs")}>
          <Input {...number(["ResourceLimits", "MaxParallelTrainingJobs"])} />
        </FormField>
        <FormField label={<>Seconds at most <i>- optional</i></>} errorText={at("ResourceLimits.MaxRuntimeInSeconds")}>
          <Input {...number(["ResourceLimits", "MaxRuntimeInSeconds"])} />
        </FormField>
        {isHyperband && (
          <FormField label={<>Least epochs <i>- optional</i></>} errorText={at("StrategyConfig.HyperbandStrategyConfig.MinResource")}>
            <Input {...number(["StrategyConfig", "HyperbandStrategyConfig", "MinResource"])} />
          </FormField>
        )}
        {isHyperband && (
          <FormField label={<>Most epochs <i>- optional</i></>} errorText={at("StrategyConfig.HyperbandStrategyConfig.MaxResource")}>
            <Input {...number(["StrategyConfig", "HyperbandStrategyConfig", "MaxResource"])} />
          </FormField>
        )}
        {!isHyperband && (
          <FormField label="Stop training jobs early">
            <Select selectedOption={chosen(STOPPING, ["TrainingJobEarlyStoppingType"]) ?? STOPPING[0] ?? null} options={STOPPING} onChange={({ detail }) => write(["TrainingJobEarlyStoppingType"], detail.selectedOption.value)} ariaLabel="Stop training jobs early" />
          </FormField>
        )}
        <FormField label={<>End at this value <i>- optional</i></>} errorText={at("TuningJobCompletionCriteria.TargetObjectiveMetricValue")}>
          <Input {...number(["TuningJobCompletionCriteria", "TargetObjectiveMetricValue"])} step="any" />
        </FormField>
        <FormField label={<>End after trials without improvement <i>- optional</i></>} errorText={at("TuningJobCompletionCriteria.BestObjectiveNotImproving.MaxNumberOfTrainingJobsNotImproving")}>
          <Input {...number(["TuningJobCompletionCriteria", "BestObjectiveNotImproving", "MaxNumberOfTrainingJobsNotImproving"])} />
        </FormField>
        <FormField label="End when nothing improves any more">
          <Select selectedOption={chosen(CONVERGENCE, CONVERGED) ?? CONVERGENCE[0] ?? null} options={CONVERGENCE} onChange={({ detail }) => write(CONVERGED, detail.selectedOption.value)} ariaLabel="End when nothing improves any more" />
        </FormField>
        <FormField label={<>Random seed <i>- optional</i></>} errorText={at("RandomSeed")}>
          <Input {...number(["RandomSeed"])} />
        </FormField>
      </ColumnLayout>
    </SpaceBetween>
  );
}

/** Members with another value at a path. */
function put(members: Members, path: string[], next: unknown): Members {
  const [first = "", ...others] = path;
  return { ...members, [first]: others.length > 0 ? put((members[first] ?? {}) as Members, others, next) : next };
}
