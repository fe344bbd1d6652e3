import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type FormEvent, useEffect, useMemo, useState } from "react";
import { useNavigate, useSearchParams } from "react-router-dom";

import { operation } from "../../api/model";
import { useTrail } from "../../frame/trail";
import { newName } from "../../kit/names";
import { ResourceSelect } from "../../kit/ResourceSelect";
import { RoleSelect } from "../../kit/RoleSelect";
import { To } from "../../kit/To";
import { describePackage, packagePath } from "../registry/package";
import { deploy, type Plan, type Problem, type StageName } from "./deployment";
import { Progress } from "./Progress";

const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;
const USUAL = "ml.m5.large";

/** Puts a model, or a version of the registry, behind an endpoint: `?model=` or `?package=` says which. */
export default function Deploy() {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const packageArn = search.get("package") ?? "";
  const given = search.get("model") ?? "";
  const source = packageArn.split("/").slice(-2).join("-");
  useTrail({ text: "Endpoints", to: "/endpoints" }, { text: "Deploy" });

  const [model, setModel] = useState(given);
  const [exists, setExists] = useState(false);
  const [endpoint, setEndpoint] = useState("");
  const [endpointName, setEndpointName] = useState<string>();
  const [variant, setVariant] = useState("AllTraffic");
  const [config, setConfig] = useState("");
  const [role, setRole] = useState("");
  const [isolated, setIsolated] = useState(false);
  const [instanceType, setInstanceType] = useState(USUAL);
  const [types, setTypes] = useState<string[]>([USUAL]);
  const [supported, setSupported] = useState<string[]>([]);
  const [approval, setApproval] = useState("");
  const [tried, setTried] = useState(false);
  const [plan, setPlan] = useState<Plan>();
  const [stage, setStage] = useState<StageName>();
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    operation("sagemaker", "CreateEndpointConfig").then(
      ({ input }) => setTypes(input?.members?.["ProductionVariants"]?.member?.members?.["InstanceType"]?.enum ?? [USUAL]),
      () => undefined,
    );
  }, []);
  useEffect(() => {
    if (!packageArn) return;
    const gone = new AbortController();
    describePackage(packageArn, gone.signal).then(
      (found) => {
        const named = found.InferenceSpecification?.SupportedRealtimeInferenceInstanceTypes ?? [];
        setSupported(named);
        setApproval(found.ModelApprovalStatus ?? "");
        if (named[0] && !named.includes(USUAL)) setInstanceType(named[0]);
      },
      () => undefined,
    );
    return () => gone.abort();
  }, [packageArn]);

  const wantedName = endpointName ?? (source || model);
  const target = exists ? endpoint : wantedName;
  const fresh = useMemo(() => newName(target || "endpoint"), [target]);
  const mistakes = {
    model: packageArn || model ? "" : "Choose the model that is to answer",
    role: packageArn && !role ? "Choose the role that the model has" : "",
    endpoint: exists ? (endpoint ? "" : "Choose an endpoint") : nameMistake(wantedName),
    variant: nameMistake(variant),
    config: config ? nameMistake(config) : "",
  };
  const options = [
    ...(supported.length ? [{ label: "Named by the model package", options: supported.map((value) => ({ value, label: value })) }] : []),
    { label: "All", options: types.filter((each) => !supported.includes(each)).map((value) => ({ value, label: value })) },
  ];

  async function run(next: Plan) {
    setPlan(next);
    setProblem(null);
    setProblem(await deploy(next, setStage));
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (Object.values(mistakes).some(Boolean)) return;
    void run({
      model: packageArn ? newName(source) : model,
      ...(packageArn
        ? { made: { ExecutionRoleArn: role, PrimaryContainer: { ModelPackageName: packageArn }, ...(isolated ? { EnableNetworkIsolation: true } : {}) } }
        : {}),
      config: config || fresh,
      endpoint: target,
      exists,
      variant,
      instanceType,
    });
  }

  if (plan && stage) {
    return <Progress what={packageArn ? packageArn.split("/").slice(-2).join(" version ") : model} plan={plan} stage={stage} problem={problem} onBack={() => setPlan(undefined)} />;
  }
  const shown = (mistake: string) => (tried ? mistake : "");
  return (
    <ContentLayout header={<Header variant="h1" description="Makes an endpoint configuration, and an endpoint that serves it">Deploy a model</Header>}>
      <form onSubmit={submit}>
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" onClick={() => navigate(-1)}>
                Cancel
              </Button>
              <Button variant="primary" formAction="submit">
                Deploy
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            <Container header={<Header>Model</Header>}>
              {packageArn ? (
                <SpaceBetween size="m">
                  <FormField label="Model package">
                    <To path={packagePath(packageArn)}>{packageArn.split("/").slice(-2).join(" version ")}</To>
                  </FormField>
                  {approval && approval !== "Approved" && <Alert type="warning">This version is not approved. It can be deployed all the same, to try it.</Alert>}
                  <FormField label="Role" description="What the model's container may do" errorText={shown(mistakes.role)}>
                    <RoleSelect value={role} onChange={setRole} label="Role" />
                  </FormField>
                  <Checkbox checked={isolated} onChange={({ detail }) => setIsolated(detail.checked)} description="The container reaches no network">
                    Network isolation
                  </Checkbox>
                </SpaceBetween>
              ) : (
                <FormField label="Model" errorText={shown(mistakes.model)}>
                  <ResourceSelect operation="ListModels" rows="Models" name="ModelName" label="Model" value={model} onChange={setModel} placeholder="Choose a model" />
                </FormField>
              )}
            </Container>
            <Container header={<Header>Endpoint</Header>}>
              <SpaceBetween size="m">
                <SegmentedControl
                  selectedId={exists ? "old" : "new"}
                  onChange={({ detail }) => setExists(detail.selectedId === "old")}
                  label="Which endpoint"
                  options={[
                    { id: "new", text: "New endpoint" },
                    { id: "old", text: "Update an endpoint" },
                  ]}
                />
                {exists ? (
                  <FormField label="Endpoint" description="It answers with what it serves now until the new server is healthy" errorText={shown(mistakes.endpoint)}>
                    <ResourceSelect
                      operation="ListEndpoints"
                      rows="Endpoints"
                      name="EndpointName"
                      label="Endpoint"
                      value={endpoint}
                      onChange={setEndpoint}
                      fixed={{ StatusEquals: "InService" }}
                      placeholder="Choose an endpoint in service"
                    />
                  </FormField>
                ) : (
                  <FormField label="Name" constraintText="Letters, digits and hyphens, at most 63" errorText={shown(mistakes.endpoint)}>
                    <Input value={wantedName} onChange={({ detail }) => setEndpointName(detail.value)} />
                  </FormField>
                )}
                <FormField label="Instance type" description="How many processors and how much memory the server may use">
                  <Select
                    selectedOption={{ value: instanceType, label: instanceType }}
                    options={options}
                    onChange={({ detail }) => setInstanceType(detail.selectedOption.value ?? USUAL)}
                    filteringType="auto"
                    filteringAriaLabel="Find an instance type"
                    virtualScroll
                    ariaLabel="Instance type"
                  />
                </FormField>
                <ExpandableSection headerText="More">
                  <SpaceBetween size="m">
                    <FormField label="Name of the variant" errorText={shown(mistakes.variant)}>
                      <Input value={variant} onChange={({ detail }) => setVariant(detail.value)} />
                    </FormField>
                    <FormField label="Name of the configuration" errorText={shown(mistakes.config)}>
                      <Input value={config} placeholder={fresh} onChange={({ detail }) => setConfig(detail.value)} />
                    </FormField>
                  </SpaceBetween>
                </ExpandableSection>
              </SpaceBetween>
            </Container>
            {tried && Object.values(mistakes).some(Boolean) && <Box color="text-status-error">Some fields are missing or wrong.</Box>}
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}

function nameMistake(name: string): string {
  if (!name) return "Give it a name";
  return NAME.test(name) ? "" : "Use letters, digits and hyphens, at most 63, and no hyphen at an end";
}
