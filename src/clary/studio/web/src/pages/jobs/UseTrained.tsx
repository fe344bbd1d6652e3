import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import type { Members } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { below } from "../../kit/To";
import { deployTrained, modelOf } from "./trained";

/** Deploys what a training job has left, or makes a model of it; `describe` gives the job. */
export function UseTrained({ usable, describe }: { usable: boolean; describe: () => Promise<Members> }) {
  const navigate = useNavigate();
  const notices = useNotices();
  const [busy, setBusy] = useState(false);

  async function begin(failed: string, lead: (job: Members) => Promise<void>) {
    setBusy(true);
    try {
      await lead(await describe());
    } catch (error) {
      notices.failed(failed, error);
      setBusy(false);
    }
  }

  async function deploy(job: Members) {
    const endpoint = await deployTrained(job);
    notices.succeeded(`The endpoint ${endpoint} is being made`);
    navigate(below("endpoints", endpoint));
  }

  async function model(job: Members) {
    navigate("/explorer/sagemaker/Model/create", { state: { fill: modelOf(job) } });
  }

  return (
    <ButtonDropdown
      variant="primary"
      loading={busy}
      disabled={!usable}
      disabledReason="Only the model of a completed job can be used"
      mainAction={{
        text: "Deploy",
        loading: busy,
        disabled: !usable,
        disabledReason: "Only the model of a completed job can be deployed",
        onClick: () => void begin("The model was not deployed", deploy),
      }}
      items={[{ id: "model", text: "Create model …" }]}
      onItemClick={() => void begin("The form cannot be shown", model)}
      ariaLabel="More to do with the model"
    />
  );
}
