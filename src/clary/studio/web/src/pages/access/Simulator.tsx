import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import Textarea from "@cloudscape-design/components/textarea";
import { type FormEvent, useState } from "react";

import { call } from "../../api/client";
import { told } from "../../api/errors";

interface Result {
  EvalActionName: string;
  EvalResourceName?: string;
  EvalDecision: string;
  MatchedStatements?: { SourcePolicyId?: string; SourcePolicyType?: string }[];
  MissingContextValues?: string[];
}

const ASKED = ["sagemaker:CreateTrainingJob", "sagemaker:InvokeEndpoint", "s3:GetObject", "s3:PutObject", "iam:PassRole"];

/** Asks IAM what a user or a role may do, without doing it. */
export function Simulator({ arn }: { arn: string }) {
  const [actions, setActions] = useState(ASKED.join("\n"));
  const [resource, setResource] = useState("*");
  const [results, setResults] = useState<Result[]>();
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  async function simulate(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      const names = actions.split(/[\s,]+/).filter(Boolean);
      const answer = await call<{ EvaluationResults: Result[] }>("iam", "SimulatePrincipalPolicy", {
        PolicySourceArn: arn,
        ActionNames: names,
        ResourceArns: [resource.trim() || "*"],
      });
      setResults(answer.EvaluationResults);
    } catch (error) {
      const { code, message } = told(error);
      setProblem(`${message} (${code})`);
    } finally {
      setBusy(false);
    }
  }

  return (
    <SpaceBetween size="l">
      <Container header={<Header description="IAM evaluates the policies as it would for a real request; nothing is done.">May it …?</Header>}>
        <form onSubmit={(event) => void simulate(event)}>
          <SpaceBetween size="m">
            {problem && <Alert type="error">{problem}</Alert>}
            <FormField label="Actions" constraintText="One on a line, such as sagemaker:CreateTrainingJob" stretch>
              <Textarea value={actions} onChange={({ detail }) => setActions(detail.value)} rows={4} spellcheck={false} />
            </FormField>
            <FormField label="Resource" constraintText="An ARN, or * for any" stretch>
              <Input value={resource} onChange={({ detail }) => setResource(detail.value)} spellcheck={false} />
            </FormField>
            <Button variant="primary" formAction="submit" loading={busy} disabled={!actions.trim()}>
              Simulate
            </Button>
          </SpaceBetween>
        </form>
      </Container>
      {results && (
        <Table
          header={<Header counter={`(${results.length})`}>Answers</Header>}
          items={results}
          wrapLines
          columnDefinitions={[
            { id: "action", header: "Action", isRowHeader: true, cell: (row) => row.EvalActionName },
            {
              id: "decision",
              header: "Decision",
              cell: (row) =>
                row.EvalDecision === "allowed" ? (
                  <StatusIndicator type="success">Allowed</StatusIndicator>
                ) : (
                  <StatusIndicator type="error">{row.EvalDecision === "explicitDeny" ? "Denied by a statement" : "Not allowed by any statement"}</StatusIndicator>
                ),
            },
            { id: "why", header: "Statements of", cell: (row) => [...new Set((row.MatchedStatements ?? []).map((each) => each.SourcePolicyId ?? ""))].join(", ") || "-" },
            { id: "resource", header: "Resource", cell: (row) => <span className="clary-mono">{row.EvalResourceName ?? "*"}</span> },
          ]}
          empty={<Box>No answers</Box>}
          ariaLabels={{ tableLabel: "Answers" }}
        />
      )}
    </SpaceBetween>
  );
}
