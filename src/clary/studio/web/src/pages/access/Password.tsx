import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import { useState } from "react";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { Confirm } from "../../kit/Confirm";
import { Dialog } from "../../kit/Dialog";
import { Failure } from "../../kit/Failure";
import { Time } from "../../kit/Time";
import { usePolling } from "../../kit/usePolling";
import { perhaps } from "./iam";

interface Profile {
  LoginProfile: { CreateDate: number };
}

/** Whether a user can sign in to Studio: the password, which can be set but never read. */
export function Password({ user }: { user: string }) {
  const notices = useNotices();
  const [setting, setSetting] = useState(false);
  const [removing, setRemoving] = useState(false);
  const profile = usePolling(async (signal) => ({ found: (await perhaps<Profile>("GetLoginProfile", { UserName: user }, signal))?.LoginProfile }), [user]);
  if (profile.error && !profile.value) return <Failure what="The sign-in cannot be shown" error={profile.error} again={profile.again} />;
  const found = profile.value?.found;
  return (
    <>
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <div className="clary-actions">
                {found && <Button onClick={() => setRemoving(true)}>Remove password</Button>}
                <Button disabled={!profile.value} onClick={() => setSetting(true)}>
                  {found ? "Reset password" : "Set password"}
                </Button>
              </div>
            }
          >
            Sign-in to Studio
          </Header>
        }
      >
        {found ? (
          <KeyValuePairs
            columns={3}
            items={[
              { label: "Password", value: "Set" },
              { label: "Since", value: <Time at={found.CreateDate} /> },
            ]}
          />
        ) : (
          <Box color="text-body-secondary">{profile.value ? `${user} has no password and cannot sign in to Studio` : "…"}</Box>
        )}
      </Container>
      {setting && (
        <SetPassword
          user={user}
          exists={Boolean(found)}
          onDone={(done) => {
            setSetting(false);
            if (done) {
              notices.succeeded("The password is set");
              profile.again();
            }
          }}
        />
      )}
      {removing && (
        <Confirm
          verb="Remove"
          title="Remove the password?"
          names={[user]}
          onDismiss={() => setRemoving(false)}
          onConfirm={async () => {
            await call("iam", "DeleteLoginProfile", { UserName: user });
            notices.succeeded("The password is removed");
            profile.again();
          }}
        >
          {user} is signed out everywhere, and cannot sign in again until a password is set.
        </Confirm>
      )}
    </>
  );
}

function SetPassword({ user, exists, onDone }: { user: string; exists: boolean; onDone: (done: boolean) => void }) {
  const [password, setPassword] = useState("");
  return (
    <Dialog
      title={exists ? "Reset password" : "Set password"}
      verb="Save"
      ready={Boolean(password)}
      onDismiss={() => onDone(false)}
      onConfirm={async () => {
        await call("iam", exists ? "UpdateLoginProfile" : "CreateLoginProfile", { UserName: user, Password: password });
        onDone(true);
      }}
    >
      {exists && <Box>{user} is signed out everywhere.</Box>}
      <FormField label="New password" constraintText="At least 8 characters">
        <Input type="password" value={password} onChange={({ detail }) => setPassword(detail.value)} autoComplete="new-password" autoFocus />
      </FormField>
    </Dialog>
  );
}
