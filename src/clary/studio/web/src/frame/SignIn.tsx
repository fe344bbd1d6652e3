import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type FormEvent, useState } from "react";

import { told } from "../api/errors";
import { signIn } from "../api/session";

/** The page of those who are not signed in. */
export function SignIn({ onDone, said }: { onDone: () => void; said?: string }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState(said ?? "");
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(name, password);
      onDone();
    } catch (error) {
      setProblem(told(error).message);
      setPassword("");
      setBusy(false);
    }
  }

  return (
    <main className="clary-sign-in">
      <form onSubmit={submit}>
        <Container header={<Header variant="h1">Sign in to Clary Studio</Header>}>
          <Form
            actions={
              <Button variant="primary" formAction="submit" loading={busy} disabled={!name || !password}>
                Sign in
              </Button>
            }
          >
            <SpaceBetween size="m">
              {problem && <Alert type="error">{problem}</Alert>}
              <FormField label="User name">
                <Input
                  value={name}
                  onChange={({ detail }) => setName(detail.value)}
                  autoComplete="username"
                  name="username"
                  autoFocus
                />
              </FormField>
              <FormField label="Password">
                <Input
                  value={password}
                  onChange={({ detail }) => setPassword(detail.value)}
                  type="password"
                  autoComplete="current-password"
                  name="password"
                />
              </FormField>
              <Box color="text-body-secondary" fontSize="body-s">
                The administrator signs in with the link that <Box variant="code">clary up</Box> prints. Users are IAM users
                with a password.
              </Box>
            </SpaceBetween>
          </Form>
        </Container>
      </form>
    </main>
  );
}
