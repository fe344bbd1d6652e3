import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useMemo } from "react";
import { useLocation, useNavigate } from "react-router-dom";

import type { Members } from "../../api/client";
import { operation, type Shape } from "../../api/model";
import { useNotices } from "../../frame/notices";
import { useTrail } from "../../frame/trail";
import { Failure } from "../../kit/Failure";
import { type Filled, RequestForm } from "../../kit/forms/RequestForm";
import { StructureFields } from "../../kit/forms/ShapeForm";
import { RoleSelect } from "../../kit/RoleSelect";
import { below } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { blank } from "./begin";
import { RangeEditor } from "./RangeEditor";
import { SearchFields } from "./SearchFields";
import type { ParameterRanges } from "./tuning";

const CREATE = "CreateHyperParameterTuningJob";
const CONFIG = "HyperParameterTuningJobConfig";
const DEFINITION = "TrainingJobDefinition";
/** What most training jobs need, beyond what they must have. */
const USUAL = ["StaticHyperParameters", "InputDataConfig", "ResourceConfig"];
/** What belongs to one of several definitions only. */
const OF_SEVERAL = ["DefinitionName", "TuningObjective", "HyperParameterRanges"];

/** The form that creates a tuning job: what is searched, how, and what each of its training jobs is. */
export default function CreateTuningJob() {
  const navigate = useNavigate();
  const notices = useNotices();
  const fill = (useLocation().state as { fill?: Members } | null)?.fill;
  useTrail({ text: "Tuning jobs", to: "/tuning-jobs" }, { text: "Create" });
  const asked = usePolling(() => operation("sagemaker", CREATE), []);
  const begin = useMemo(() => fill ?? blank(), [fill]);
  const input = asked.value?.input;

  if (asked.error) return <Failure page="Create tuning job" what="The form cannot be shown" error={asked.error} again={asked.again} />;
  if (!input) return <Spinner size="large" />;
  return (
    <RequestForm
      title="Create tuning job"
      description="Launches training jobs that differ in some hyperparameters, and finds those that make the objective best"
      service="sagemaker"
      operation={CREATE}
      shape={input}
      begin={begin}
      verb="Create"
      onDone={(sent) => {
        notices.succeeded("Created");
        navigate(below("tuning-jobs", String(sent["HyperParameterTuningJobName"])));
      }}
    >
      {(filled) => <Fields shape={input} filled={filled} />}
    </RequestForm>
  );
}

function Fields({ shape, filled }: { shape: Shape; filled: Filled }) {
  const { value, onChange, problems } = filled;
  const config = (value[CONFIG] ?? {}) as Members;
  const several = value["TrainingJobDefinitions"] !== undefined;
  const definition = (value[DEFINITION] ?? {}) as Members;
  const fixed = (definition["StaticHyperParameters"] ?? {}) as Record<string, string>;
  const configShape = shape.members?.[CONFIG];
  const training = shape.members?.[DEFINITION];
  if (!configShape || !training) return null;
  const setConfig = (next: Members) => onChange({ ...value, [CONFIG]: next });
  const setDefinition = (next: Members) => onChange({ ...value, [DEFINITION]: next });
  const own = without(training, ["RoleArn", ...OF_SEVERAL]);
  const usual = new Set([...(own.required ?? []), ...USUAL]);
  const usualNames = Object.keys(own.members ?? {}).filter((name) => usual.has(name));
  const otherNames = Object.keys(own.members ?? {}).filter((name) => !usual.has(name));
  const rest = without(shape, ["HyperParameterTuningJobName", CONFIG, DEFINITION]);
  return (
    <SpaceBetween size="l">
      <Container header={<Header>Search</Header>}>
        <SearchFields value={value} onChange={onChange} problems={problems} config={config} onConfig={setConfig} strategies={configShape.members?.["Strategy"]?.enum ?? []} several={several} />
      </Container>
      {!several && (
        <RangeEditor
          value={(config["ParameterRanges"] ?? {}) as ParameterRanges}
          onChange={(ranges) => setConfig({ ...config, ParameterRanges: ranges })}
          problemAt={(path) => problems[`${CONFIG}.ParameterRanges.${path}`]}
          fixed={Object.keys(fixed)}
          onFree={(name) => setDefinition({ ...definition, StaticHyperParameters: Object.fromEntries(Object.entries(fixed).filter(([each]) => each !== name)) })}
        />
      )}
      {!several && (
        <Container header={<Header description="What all training jobs of the search have in common">Training jobs</Header>}>
          <SpaceBetween size="m">
            <FormField label="Role" description="What the training jobs may do" errorText={problems[`${DEFINITION}.RoleArn`]}>
              <RoleSelect value={String(definition["RoleArn"] ?? "")} onChange={(arn) => setDefinition({ ...definition, RoleArn: arn })} label="Role" />
            </FormField>
            <StructureFields shape={without(own, otherNames)} value={definition} onChange={setDefinition} problems={problems} path={DEFINITION} />
            <ExpandableSection headerText="More of the training jobs">
              <StructureFields shape={without(own, usualNames)} value={definition} onChange={setDefinition} problems={problems} path={DEFINITION} />
            </ExpandableSection>
          </SpaceBetween>
        </Container>
      )}
      <ExpandableSection variant="container" headerText="Optional" defaultExpanded={Object.keys(value).some((member) => member in (rest.members ?? {}))}>
        <StructureFields shape={rest} value={value} onChange={onChange} problems={problems} path="" />
      </ExpandableSection>
    </SpaceBetween>
  );
}

/** A structure of which some members are asked for elsewhere. */
function without(shape: Shape, members: string[]): Shape {
  const left = Object.fromEntries(Object.entries(shape.members ?? {}).filter(([name]) => !members.includes(name)));
  return { ...shape, members: left, required: (shape.required ?? []).filter((name) => name in left) };
}
