import FormField from "@cloudscape-design/components/form-field";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { Confirm } from "../../kit/Confirm";
import type { Approval } from "./package";

const VERBS: Record<Approval, string> = { Approved: "Approve", Rejected: "Reject", PendingManualApproval: "Ask for approval" };
const MEANS: Record<Approval, string> = {
  Approved: "It may be deployed; what waits for an approved version is told.",
  Rejected: "It shall not be deployed. Endpoints that serve it already go on.",
  PendingManualApproval: "It waits for somebody to decide again.",
};
const LONGEST = 1024;

interface Props {
  arn: string;
  name: string;
  to: Approval;
  onDismiss: () => void;
  onDone: () => void;
}

/** Approves or rejects a version, with a word why. */
export function Decide({ arn, name, to, onDismiss, onDone }: Props) {
  const notices = useNotices();
  const [comment, setComment] = useState("");
  return (
    <Confirm
      verb={VERBS[to]}
      title={`${VERBS[to]} this version?`}
      names={[name]}
      onDismiss={onDismiss}
      onConfirm={async () => {
        // An empty comment too: what was said of the last decision does not fit this one.
        await call("sagemaker", "UpdateModelPackage", { ModelPackageArn: arn, ModelApprovalStatus: to, ApprovalDescription: comment.trim() });
        notices.succeeded({ Approved: "Approved", Rejected: "Rejected", PendingManualApproval: "Waiting for approval" }[to]);
        onDone();
      }}
    >
      <div>{MEANS[to]}</div>
      <FormField
        label={
          <>
            Comment <i>- optional</i>
          </>
        }
        errorText={comment.length > LONGEST ? `At most ${LONGEST} characters` : ""}
      >
        <Textarea value={comment} onChange={({ detail }) => setComment(detail.value)} rows={3} placeholder="Why" />
      </FormField>
    </Confirm>
  );
}
