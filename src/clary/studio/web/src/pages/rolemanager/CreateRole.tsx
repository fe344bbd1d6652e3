import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Wizard, { type WizardProps } from "@cloudscape-design/components/wizard";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { told } from "../../api/errors";
import { type Catalog, catalog, type Documents, documents, memberOf } from "../../api/roleManager";
import { useTrail } from "../../frame/trail";
import { Copy } from "../../kit/Copy";
import { Failure } from "../../kit/Failure";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { ActivitiesStep } from "./ActivitiesStep";
import { make } from "./make";
import { PoliciesStep } from "./PoliciesStep";
import { Review } from "./Review";
import { RoleStep } from "./RoleStep";
import { EMPTY, type Form, type Problems, problemsOf, stepOf, wishOf } from "./wish";

const REVIEW = 3;
const TEXTS: WizardProps.I18nStrings = {
  stepNumberLabel: (step) => `Step ${step}`,
  collapsedStepsLabel: (step, steps) => `Step ${step} of ${steps}`,
  navigationAriaLabel: "Steps",
  errorIconAriaLabel: "Error",
  cancelButton: "Cancel",
  previousButton: "Previous",
  nextButton: "Next",
  optional: "optional",
  nextButtonLoadingAnnouncement: "The policies are written",
  submitButtonLoadingAnnouncement: "The role is created",
};

/** Makes a role of a persona or of activities, in the steps of AWS's role manager. */
export default function CreateRole() {
  useTrail({ text: "Role manager", to: "/role-manager" }, { text: "Create role" });
  const [made, setMade] = useState<{ name: string; arn: string }>();
  const known = usePolling(() => catalog(), []);
  if (known.error) return <Failure page="Create role" what="The form cannot be shown" error={known.error} again={known.again} />;
  if (!known.value) return <Spinner size="large" />;
  if (made) return <Made name={made.name} arn={made.arn} again={() => setMade(undefined)} />;
  return <Steps known={known.value} onMade={(name, arn) => setMade({ name, arn })} />;
}

function Steps({ known, onMade }: { known: Catalog; onMade: (name: string, arn: string) => void }) {
  const navigate = useNavigate();
  const [form, setForm] = useState<Form>(EMPTY);
  const [step, setStep] = useState(0);
  const [problems, setProblems] = useState<Problems>({});
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const [written, setWritten] = useState<Documents>();

  const change = (changed: Partial<Form>) => {
    setForm((before) => ({ ...before, ...changed }));
    setProblems({});
    setRefusal("");
  };

  /** Do what may be refused; a refusal of one member is shown where that is asked for. */
  async function attempt(work: () => Promise<void>) {
    setBusy(true);
    setRefusal("");
    try {
      await work();
    } catch (error) {
      const { code, message } = told(error);
      const member = memberOf(error);
      if (member) {
        setProblems({ [member]: message });
        setStep(stepOf(member, known));
      } else setRefusal(`${message} (${code})`);
    } finally {
      setBusy(false);
    }
  }

  function go(wanted: number) {
    if (wanted < step) {
      setStep(wanted);
      setRefusal("");
      return;
    }
    const found = problemsOf(step, form, known);
    setProblems(found);
    if (Object.keys(found).length > 0) return;
    if (wanted < REVIEW) setStep(wanted);
    else
      void attempt(async () => {
        setWritten(await documents(wishOf(form, known)));
        setStep(REVIEW);
      });
  }

  function create() {
    if (!written) return;
    void attempt(async () => {
      const tags = form.tags.filter((tag) => tag.key).map((tag) => ({ Key: tag.key, Value: tag.value }));
      onMade(written.RoleName, await make(written, { description: form.description, boundary: form.boundary, tags }));
    });
  }

  const props = { known, form, onChange: change, problems };
  return (
    <Wizard
      steps={[
        { title: "Enter role information", content: <RoleStep {...props} /> },
        { title: "Configure ML activities", content: <ActivitiesStep {...props} /> },
        { title: "Add policies and tags", isOptional: true, content: <PoliciesStep {...props} /> },
        { title: "Review role", content: written && <Review known={known} form={form} documents={written} /> },
      ].map((each) => ({ ...each, errorText: refusal }))}
      activeStepIndex={step}
      isLoadingNextStep={busy}
      submitButtonText="Create role"
      i18nStrings={TEXTS}
      onNavigate={({ detail }) => go(detail.requestedStepIndex)}
      onCancel={() => navigate("/role-manager")}
      onSubmit={create}
    />
  );
}

function Made({ name, arn, again }: { name: string; arn: string; again: () => void }) {
  return (
    <ContentLayout header={<Header variant="h1">Role created</Header>}>
      <SpaceBetween size="l">
        <Alert type="success">Jobs, models and user profiles can be given it at once.</Alert>
        <Container header={<Header actions={<Button onClick={again}>Create another role</Button>}>Role</Header>}>
          <KeyValuePairs
            columns={3}
            items={[
              { label: "Name", value: <To path={below("access", "roles", name)}>{name}</To> },
              { label: "ARN", value: <Copy text={arn} /> },
              { label: "What it may do", value: <To path={`${below("access", "roles", name)}?tab=simulate`}>Ask the policy simulator</To> },
            ]}
          />
        </Container>
      </SpaceBetween>
    </ContentLayout>
  );
}
