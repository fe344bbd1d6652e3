import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Steps, { type StepsProps } from "@cloudscape-design/components/steps";
import { useEffect, useRef, useState } from "react";
import { useNavigate } from "react-router-dom";

import { told } from "../../api/errors";
import { duration } from "../../kit/Time";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { describeEndpoint } from "../endpoints/endpoint";
import type { Plan, Problem, StageName } from "./deployment";

const MILLISECONDS = 1000;
const ORDER: StageName[] = ["model", "config", "endpoint", "service"];

interface Props {
  /** What is deployed, as its heading says. */
  what: string;
  plan: Plan;
  stage: StageName;
  problem: Problem | null;
  onBack: () => void;
}

/** How a deployment goes, until the endpoint answers. */
export function Progress({ what, plan, stage, problem, onBack }: Props) {
  const navigate = useNavigate();
  const began = useRef(Date.now());
  const [ended, setEnded] = useState<{ ok: boolean; reason: string; took: number }>();
  const waiting = stage === "service" && !problem && !ended;
  usePolling(
    async (signal) => {
      if (!waiting) return null;
      const found = await describeEndpoint(plan.endpoint, signal);
      const serves = found.EndpointStatus === "InService";
      if (serves || found.EndpointStatus === "Failed") {
        // An update that failed leaves the endpoint in service with the configuration that it had.
        const ok = serves && found.EndpointConfigName === plan.config;
        setEnded({ ok, reason: found.FailureReason ?? "", took: (Date.now() - began.current) / 1000 });
      }
      return found;
    },
    [plan.endpoint, waiting],
    waiting ? MILLISECONDS : 0,
  );
  const [, tick] = useState(0);
  useEffect(() => {
    if (!waiting) return;
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [waiting]);

  const at = ORDER.indexOf(stage);
  function status(name: StageName): StepsProps.Status {
    if (problem?.stage === name) return "error";
    const place = ORDER.indexOf(name);
    if (name === "service" && ended) return ended.ok ? "success" : "error";
    if (place < at) return "success";
    return place === at ? "in-progress" : "pending";
  }
  const steps: StepsProps.Step[] = [
    ...(plan.made
      ? [{ status: status("model"), header: "Create the model", details: status("model") === "success" ? <To path={below("models", plan.model)}>{plan.model}</To> : plan.model }]
      : []),
    {
      status: status("config"),
      header: "Create the endpoint configuration",
      details: status("config") === "success" ? <To path={below("endpoint-configs", plan.config)}>{plan.config}</To> : plan.config,
    },
    {
      status: status("endpoint"),
      header: plan.exists ? "Update the endpoint" : "Create the endpoint",
      details: status("endpoint") === "success" ? <To path={below("endpoints", plan.endpoint)}>{plan.endpoint}</To> : plan.endpoint,
    },
    {
      status: status("service"),
      header: "Wait until it answers",
      details: ended?.ok ? `In service after ${duration(ended.took)}` : waiting ? `The server starts · ${duration((Date.now() - began.current) / 1000)}` : "",
    },
  ];
  return (
    <ContentLayout header={<Header variant="h1">Deploying {what}</Header>}>
      <SpaceBetween size="l">
        {problem && (
          <Alert type="error" header="The deployment stopped" action={<Button onClick={onBack}>Back to the form</Button>}>
            {told(problem.error).message} ({told(problem.error).code})
          </Alert>
        )}
        {ended && !ended.ok && (
          <Alert
            type="error"
            header={plan.exists ? "The update failed; the endpoint goes on as it was" : "The endpoint could not be created"}
            action={<Button onClick={() => navigate(`${below("endpoints", plan.endpoint)}?tab=logs`)}>Open the logs</Button>}
          >
            {ended.reason || "No reason was given."}
          </Alert>
        )}
        {ended?.ok && (
          <Alert type="success" header={`${plan.endpoint} answers`} action={<Button onClick={() => navigate(`${below("endpoints", plan.endpoint)}?tab=test`)}>Test it</Button>}>
            It took {duration(ended.took)}.
          </Alert>
        )}
        <Container header={<Header>Progress</Header>}>
          <Steps steps={steps} ariaLabel="Progress" />
        </Container>
        <Box color="text-body-secondary">It goes on when you leave this page.</Box>
        <Button onClick={() => navigate(below("endpoints", plan.endpoint))} disabled={at < ORDER.indexOf("service")}>
          Open the endpoint
        </Button>
      </SpaceBetween>
    </ContentLayout>
  );
}
