import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import TagEditor, { type TagEditorProps } from "@cloudscape-design/components/tag-editor";
import { useState } from "react";

import { call, pages } from "../api/client";
import { useNotices } from "../frame/notices";
import { Failure } from "./Failure";
import { TAG_TEXTS } from "./tagTexts";
import { usePolling } from "./usePolling";

interface Tag {
  Key: string;
  Value: string;
}

/** The tags of a resource, to read and to change. */
export function Tags({ arn }: { arn: string }) {
  const notices = useNotices();
  const tags = usePolling(async (signal) => {
    const found = await pages<{ Tags: Tag[]; NextToken?: string }>("sagemaker", "ListTags", { ResourceArn: arn }, 10, signal);
    return found.flatMap((page) => page.Tags);
  }, [arn]);
  const [edited, setEdited] = useState<readonly TagEditorProps.Tag[]>();
  const [valid, setValid] = useState(true);
  const [busy, setBusy] = useState(false);

  async function save() {
    if (!edited || !tags.value) return;
    setBusy(true);
    try {
      const removed = edited.filter((tag) => tag.existing && tag.markedForRemoval).map((tag) => tag.key);
      const kept = edited.filter((tag) => !tag.markedForRemoval).map((tag) => ({ Key: tag.key, Value: tag.value }));
      if (removed.length) await call("sagemaker", "DeleteTags", { ResourceArn: arn, TagKeys: removed });
      if (kept.length) await call("sagemaker", "AddTags", { ResourceArn: arn, Tags: kept });
      notices.succeeded("The tags are saved");
      setEdited(undefined);
      tags.again();
    } catch (error) {
      notices.failed("The tags are not saved", error);
    } finally {
      setBusy(false);
    }
  }

  if (tags.error) return <Failure what="The tags cannot be shown" error={tags.error} again={tags.again} />;
  const shown = tags.value ?? [];
  return (
    <Container
      header={
        <Header
          counter={`(${shown.length})`}
          actions={
            edited ? (
              <SpaceBetween direction="horizontal" size="xs">
                <Button onClick={() => setEdited(undefined)}>Cancel</Button>
                <Button variant="primary" loading={busy} disabled={!valid} onClick={() => void save()}>
                  Save tags
                </Button>
              </SpaceBetween>
            ) : (
              <Button
                disabled={!tags.value}
                onClick={() =>
                  setEdited(shown.map((tag) => ({ key: tag.Key, value: tag.Value, existing: true, markedForRemoval: false })))
                }
              >
                Edit tags
              </Button>
            )
          }
        >
          Tags
        </Header>
      }
    >
      {edited ? (
        <TagEditor
          tags={edited}
          tagLimit={50}
          i18nStrings={TAG_TEXTS}
          onChange={({ detail }) => {
            setEdited(detail.tags);
            setValid(detail.valid);
          }}
        />
      ) : shown.length > 0 ? (
        <KeyValuePairs columns={4} items={shown.map((tag) => ({ label: tag.Key, value: tag.Value || "-" }))} />
      ) : (
        "No tags"
      )}
    </Container>
  );
}
