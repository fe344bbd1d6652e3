import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate, useParams } from "react-router-dom";

import { call } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useFrame } from "../../frame/session";
import { useTrail } from "../../frame/trail";
import { Confirm } from "../../kit/Confirm";
import { Copy } from "../../kit/Copy";
import { CopyAs } from "../../kit/CopyAs";
import { withoutSecrets } from "../../kit/Environment";
import { Failure } from "../../kit/Failure";
import { JsonView } from "../../kit/JsonView";
import { Loading } from "../../kit/Loading";
import { PageTabs } from "../../kit/PageTabs";
import { S3Link } from "../../kit/S3Link";
import { Status, words } from "../../kit/Status";
import { Tags } from "../../kit/Tags";
import { Time } from "../../kit/Time";
import { below } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";
import { Related } from "../explorer/Related";
import { deployPath } from "../models/deployment";
import { Decide } from "./Decide";
import { usePackageFiles } from "./metrics";
import { MetricsView } from "./MetricsView";
import { ModelCard } from "./ModelCard";
import { type Approval, describePackage, type ModelPackage, packageArn, personName } from "./package";
import { Specification } from "./Specification";

/** One version of a model: how good it is, what it runs, and whether it may be deployed. */
export default function Version() {
  const { group = "", version = "" } = useParams();
  const { session, region } = useFrame();
  const navigate = useNavigate();
  const notices = useNotices();
  const [decided, setDecided] = useState<Approval>();
  const [deleting, setDeleting] = useState(false);
  const arn = packageArn(region, session.account, group, version);
  const title = `${group} version ${version}`;
  useTrail({ text: "Model registry", to: "/model-registry" }, { text: group, to: below("model-registry", group) }, { text: `Version ${version}` });
  const described = usePolling((signal) => describePackage(arn, signal), [arn], 5000);
  const files = usePackageFiles(described.value);

  if (described.error && !described.value) return <Failure page={title} what={`${title} cannot be shown`} error={described.error} again={described.again} />;
  const found = described.value;
  if (!found) return <Loading page={title} />;
  const approval = found.ModelApprovalStatus;
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          {...(found.ModelPackageDescription ? { description: found.ModelPackageDescription } : {})}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <CopyAs service="sagemaker" operation="DescribeModelPackage" members={{ ModelPackageName: arn }} />
              <Button onClick={() => setDeleting(true)}>Delete</Button>
              <Button disabled={approval === "Rejected"} disabledReason="It is rejected already" onClick={() => setDecided("Rejected")}>
                Reject
              </Button>
              <Button disabled={approval === "Approved"} disabledReason="It is approved already" onClick={() => setDecided("Approved")}>
                Approve
              </Button>
              <Button variant="primary" onClick={() => navigate(deployPath({ package: arn }))}>
                Deploy
              </Button>
            </SpaceBetween>
          }
        >
          {title}
        </Header>
      }
    >
      <SpaceBetween size="l">
        {found.ModelPackageStatus === "Failed" && <Alert type="error">The version could not be made. See the details under Configuration.</Alert>}
        <Container header={<Header>Summary</Header>}>
          <KeyValuePairs columns={4} minColumnWidth={200} items={summary(found)} />
        </Container>
        <PageTabs
          label={title}
          tabs={[
            { id: "metrics", label: "Metrics", content: <MetricsView files={files.value} what="metrics" /> },
            { id: "inference", label: "Inference", content: <Specification found={found} /> },
            { id: "origin", label: "Origin", content: <Origin found={found} /> },
            ...(found.ModelCard ? [{ id: "card", label: "Model card", content: <ModelCard card={found.ModelCard} /> }] : []),
            { id: "related", label: "Related", content: <Related arn={arn} record={found} /> },
            { id: "tags", label: "Tags", content: <Tags arn={arn} /> },
            {
              id: "configuration",
              label: "Configuration",
              content: (
                <Container>
                  <JsonView value={withoutSecrets(found)} label="the version" />
                </Container>
              ),
            },
          ]}
        />
      </SpaceBetween>
      {decided && <Decide arn={arn} name={title} to={decided} onDismiss={() => setDecided(undefined)} onDone={described.again} />}
      {deleting && (
        <Confirm
          verb="Delete"
          title="Delete this version?"
          names={[title]}
          onDismiss={() => setDeleting(false)}
          onConfirm={async () => {
            await call("sagemaker", "DeleteModelPackage", { ModelPackageName: arn });
            notices.succeeded("Deleted");
            navigate(below("model-registry", group));
          }}
        >
          Its artifacts and reports in S3 are kept. Its number is not given to another version.
        </Confirm>
      )}
    </ContentLayout>
  );
}

function summary(found: ModelPackage) {
  const stage = found.ModelLifeCycle;
  return [
    { label: "Approval", value: <Status value={found.ModelApprovalStatus} /> },
    { label: "Comment", value: found.ApprovalDescription || "-" },
    { label: "Stage", value: stage?.Stage ? `${stage.Stage}${stage.StageStatus ? `, ${words(stage.StageStatus).toLowerCase()}` : ""}` : "-" },
    { label: "Status", value: <Status value={found.ModelPackageStatus} /> },
    { label: "Created", value: <Time at={found.CreationTime} /> },
    { label: "Created by", value: personName(found.CreatedBy) },
    { label: "Changed", value: found.LastModifiedTime ? <Time at={found.LastModifiedTime} /> : "-" },
    { label: "Changed by", value: personName(found.LastModifiedBy) },
    ...(stage?.StageDescription ? [{ label: "About the stage", value: stage.StageDescription }] : []),
    { label: "ARN", value: <Copy text={found.ModelPackageArn} /> },
  ];
}

function Origin({ found }: { found: ModelPackage }) {
  const metadata = Object.entries(found.CustomerMetadataProperties ?? {});
  const made = found.MetadataProperties ?? {};
  return (
    <SpaceBetween size="l">
      <Container header={<Header>Where it comes from</Header>}>
        <KeyValuePairs
          columns={4}
          minColumnWidth={200}
          items={[
            { label: "Repository", value: <Copy text={made.Repository} /> },
            { label: "Commit", value: <Copy text={made.CommitId} /> },
            { label: "Made by", value: <Copy text={made.GeneratedBy} /> },
            { label: "Source", value: <Copy text={found.SourceUri} /> },
            { label: "Domain", value: found.Domain ? words(found.Domain) : "-" },
            { label: "Task", value: found.Task ? words(found.Task) : "-" },
            { label: "Sample requests", value: <S3Link uri={found.SamplePayloadUrl} /> },
          ]}
        />
      </Container>
      <Container header={<Header counter={`(${metadata.length})`}>Metadata</Header>}>
        {metadata.length ? <KeyValuePairs columns={4} minColumnWidth={200} items={metadata.map(([label, value]) => ({ label, value }))} /> : "None"}
      </Container>
    </SpaceBetween>
  );
}
