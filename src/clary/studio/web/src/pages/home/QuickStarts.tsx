import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useNavigate } from "react-router-dom";

import { call, type Members } from "../../api/client";
import { useNotices } from "../../frame/notices";
import { useFrame } from "../../frame/session";
import { below } from "../../kit/To";

interface Start {
  title: string;
  text: string;
  verb: string;
  /** Why it cannot be done now. */
  not?: string;
  begin: () => Promise<string>;
}

/** What a person can begin with one click; each makes real resources, and leads to them. */
export function QuickStarts({ trained, wide }: { trained: string | undefined; wide: boolean }) {
  const frame = useFrame();
  const navigate = useNavigate();
  const notices = useNotices();
  const [busy, setBusy] = useState("");

  const starts: Start[] = [
    {
      title: "Prepare data",
      text: "A processing job splits the wine data into three sets and describes its columns.",
      verb: "Start processing",
      begin: async () => below("processing-jobs", await (await import("./start/start")).startProcessing(frame)),
    },
    {
      title: "Train a classifier",
      text: "A training job runs a scikit-learn script that learns to tell three wines apart, with live curves.",
      verb: "Start training",
      begin: async () => below("training-jobs", await (await import("./start/start")).startTraining(frame)),
    },
    {
      title: "Deploy a model",
      text: trained ? `An endpoint serves the model of ${trained}.` : "An endpoint serves the model of your newest training job.",
      verb: "Deploy",
      ...(trained ? {} : { not: "There is no completed training job yet" }),
      begin: async () => {
        const job = await call<Members>("sagemaker", "DescribeTrainingJob", { TrainingJobName: trained });
        return below("endpoints", await (await import("../jobs/trained")).deployTrained(job));
      },
    },
  ];

  async function begin(start: Start) {
    setBusy(start.title);
    try {
      const path = await start.begin();
      notices.succeeded(`${decodeURIComponent(path.split("/").pop() ?? "")} has started`);
      navigate(path);
    } catch (error) {
      notices.failed(`${start.title}: it did not start`, error);
      setBusy("");
    }
  }

  return (
    <Container
      header={
        <Header variant="h2" description="Each makes real resources in your account, which you can look into and delete.">
          Quick starts
        </Header>
      }
      footer={
        <Box color="text-body-secondary" fontSize="body-s">
          Data: Aeberhard and Forina, Wine, UCI Machine Learning Repository, 1992 (CC BY 4.0); 178 rows.
        </Box>
      }
    >
      <ColumnLayout columns={wide ? 3 : 1} borders={wide ? "vertical" : "horizontal"}>
        {starts.map((start) => (
          <SpaceBetween key={start.title} size="xs">
            <Box variant="h3" padding="n">
              {start.title}
            </Box>
            <Box variant="p" color="text-body-secondary" padding="n">
              {start.text}
            </Box>
            <Button
              iconName="caret-right-filled"
              loading={busy === start.title}
              disabled={Boolean(start.not) || (busy !== "" && busy !== start.title)}
              {...(start.not ? { disabledReason: start.not } : {})}
              onClick={() => void begin(start)}
            >
              {start.verb}
            </Button>
          </SpaceBetween>
        ))}
      </ColumnLayout>
    </Container>
  );
}
