import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import FileUpload from "@cloudscape-design/components/file-upload";
import FormField from "@cloudscape-design/components/form-field";
import Grid from "@cloudscape-design/components/grid";
import Header from "@cloudscape-design/components/header";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import Autosuggest from "@cloudscape-design/components/autosuggest";
import { useEffect, useRef, useState } from "react";

import { told } from "../../../api/errors";
import { useNotices } from "../../../frame/notices";
import { useFrame } from "../../../frame/session";
import { useTab } from "../../../kit/useTab";
import { size } from "../../storage/size";
import { AnswerView } from "./AnswerView";
import { asBoto3, asCommand, asCurl } from "./copies";
import { type Answer, invoke, type Question } from "./exchange";
import { added, type Entry, keepHistory, placeOf, readHistory } from "./history";
import { HistoryTable } from "./HistoryTable";

/** What InvokeEndpoint takes. */
const LARGEST = 25 * 1024 * 1024;
const TYPES = ["text/csv", "application/json", "application/jsonlines", "text/libsvm", "text/plain", "application/x-npy", "application/octet-stream"];
const ACCEPTED = ["application/json", "text/csv", "application/jsonlines", "*/*"];
const BY_WEIGHT = { value: "", label: "By weight" };

type Kind = "csv" | "json" | "other" | "file";

interface Props {
  endpoint: string;
  variants: string[];
  inService: boolean;
}

/** Sends requests to an endpoint, and shows what it answers. */
export function TestConsole({ endpoint, variants, inService }: Props) {
  const { session, region } = useFrame();
  const notices = useNotices();
  const place = placeOf(session.arn, region, endpoint);
  const [, setTab] = useTab("overview");
  const [history, setHistory] = useState<Entry[]>(() => readHistory(place));
  const last = history.find((entry) => entry.whole)?.question;
  const [kind, setKind] = useState<Kind>(last ? kindOf(last.contentType) : "csv");
  const [bodies, setBodies] = useState<Record<string, string>>(last ? { [kindOf(last.contentType)]: last.body } : {});
  const [contentType, setContentType] = useState(last?.contentType ?? "text/csv");
  const [accept, setAccept] = useState(last?.accept ?? "application/json");
  const [variant, setVariant] = useState("");
  const [files, setFiles] = useState<readonly File[]>([]);
  const [answer, setAnswer] = useState<Answer>();
  const sending = useRef<AbortController>(undefined);
  const [busy, setBusy] = useState(false);

  useEffect(() => () => sending.current?.abort(), []);

  const body = bodies[kind] ?? "";
  const file = files[0];
  const wrong = kind === "json" && body.trim() ? mistake(body) : "";
  const tooLarge = file && file.size > LARGEST ? `It has ${size(file.size)}; at most ${size(LARGEST)} can be sent from here.` : "";
  const question: Question = {
    body: kind === "file" ? "" : body,
    contentType: contentType || "application/octet-stream",
    accept,
    variant: variants.includes(variant) ? variant : "",
    ...(kind === "file" && file ? { file: file.name } : {}),
  };
  const ready = inService && !busy && (kind === "file" ? Boolean(file) && !tooLarge : body !== "");

  async function send(asked: Question, content: BodyInit) {
    const given = new AbortController();
    sending.current = given;
    setBusy(true);
    setAnswer(undefined);
    try {
      const found = await invoke(endpoint, asked, content, given.signal);
      setAnswer(found);
      setHistory((before) => {
        const after = added(before, asked, found);
        keepHistory(place, after);
        return after;
      });
    } catch (error) {
      if (!given.signal.aborted) notices.failed("The request was not sent", error);
    } finally {
      setBusy(false);
    }
  }

  function choose(next: Kind) {
    setKind(next);
    if (next === "csv") setContentType("text/csv");
    if (next === "json") setContentType("application/json");
  }

  function open(entry: Entry) {
    const next = kindOf(entry.question.contentType);
    setKind(next);
    setBodies((before) => ({ ...before, [next]: entry.question.body }));
    setContentType(entry.question.contentType);
    setAccept(entry.question.accept);
    setVariant(entry.question.variant);
  }

  function copy(form: string) {
    const text = form === "boto3" ? asBoto3(endpoint, question) : form === "cli" ? asCommand(endpoint, question) : asCurl(endpoint, question, region);
    navigator.clipboard.writeText(text).then(
      () => notices.succeeded("Copied"),
      (error: unknown) => notices.failed("Not copied", error),
    );
  }

  function format() {
    try {
      setBodies((before) => ({ ...before, json: JSON.stringify(JSON.parse(body), null, 2) }));
    } catch (error) {
      notices.failed("This is not JSON", error);
    }
  }

  return (
    <SpaceBetween size="l">
      {!inService && (
        <Alert type="info" header="The endpoint does not answer now">
          Requests can be sent when it is in service.
        </Alert>
      )}
      <Grid gridDefinition={[{ colspan: { default: 12, m: 6 } }, { colspan: { default: 12, m: 6 } }]}>
        <Container
          fitHeight
          header={
            <Header
              actions={
                <ButtonDropdown
                  items={[
                    { id: "boto3", text: "boto3" },
                    { id: "cli", text: "AWS CLI" },
                    { id: "curl", text: "curl" },
                  ]}
                  onItemClick={({ detail }) => copy(detail.id)}
                >
                  Copy as
                </ButtonDropdown>
              }
            >
              Request
            </Header>
          }
        >
          <div
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && ready) void send(question, kind === "file" && file ? file : body);
            }}
          >
            <SpaceBetween size="m">
              <SegmentedControl
                selectedId={kind}
                options={[
                  { id: "csv", text: "CSV" },
                  { id: "json", text: "JSON" },
                  { id: "other", text: "Other" },
                  { id: "file", text: "File" },
                ]}
                onChange={({ detail }) => choose(detail.selectedId as Kind)}
                label="What is sent"
              />
              {kind === "file" ? (
                <FormField label="File" description="It is sent as it is" errorText={tooLarge}>
                  <FileUpload
                    value={files}
                    onChange={({ detail }) => {
                      setFiles(detail.value);
                      const [chosen] = detail.value;
                      if (chosen) setContentType(typeOf(chosen.name));
                    }}
                    showFileSize
                    constraintText={`At most ${size(LARGEST)}`}
                    i18nStrings={{
                      uploadButtonText: () => "Choose a file",
                      dropzoneText: () => "Drop a file here",
                      removeFileAriaLabel: () => "Remove the file",
                      limitShowFewer: "Show fewer",
                      limitShowMore: "Show more",
                      errorIconAriaLabel: "Error",
                    }}
                  />
                </FormField>
              ) : (
                <FormField
                  label="Body"
                  stretch
                  warningText={wrong && `This is not JSON: ${wrong}`}
                  constraintText="Ctrl+Enter sends it"
                >
                  <div className="clary-code">
                    <Textarea
                      value={body}
                      onChange={({ detail }) => setBodies((before) => ({ ...before, [kind]: detail.value }))}
                      rows={8}
                      spellcheck={false}
                      placeholder={PLACEHOLDERS[kind]}
                    />
                  </div>
                </FormField>
              )}
              <ColumnLayout columns={2}>
                <FormField label="Content type">
                  <Autosuggest
                    value={contentType}
                    onChange={({ detail }) => setContentType(detail.value)}
                    options={TYPES.map((value) => ({ value }))}
                    enteredTextLabel={(value) => `Use: ${value}`}
                    filteringType="none"
                    ariaLabel="Content type"
                    clearAriaLabel="Clear the content type"
                  />
                </FormField>
                <FormField label="Accept">
                  <Autosuggest
                    value={accept}
                    onChange={({ detail }) => setAccept(detail.value)}
                    options={ACCEPTED.map((value) => ({ value }))}
                    enteredTextLabel={(value) => `Use: ${value}`}
                    filteringType="none"
                    ariaLabel="Accept"
                    clearAriaLabel="Clear what is accepted"
                  />
                </FormField>
              </ColumnLayout>
              {variants.length > 1 && (
                <FormField label="Variant">
                  <Select
                    selectedOption={variant ? { value: variant, label: variant } : BY_WEIGHT}
                    options={[BY_WEIGHT, ...variants.map((value) => ({ value, label: value }))]}
                    onChange={({ detail }) => setVariant(detail.selectedOption.value ?? "")}
                    ariaLabel="Variant"
                  />
                </FormField>
              )}
              <SpaceBetween direction="horizontal" size="xs">
                <Button variant="primary" loading={busy} disabled={!ready} onClick={() => void send(question, kind === "file" && file ? file : body)}>
                  Send
                </Button>
                {kind === "json" && (
                  <Button onClick={format} disabled={Boolean(wrong) || !body.trim()}>
                    Format
                  </Button>
                )}
                {busy && <Button onClick={() => sending.current?.abort()}>Cancel</Button>}
              </SpaceBetween>
            </SpaceBetween>
          </div>
        </Container>
        <AnswerView answer={answer} sending={busy} onLogs={() => setTab("logs")} />
      </Grid>
      <HistoryTable
        entries={history}
        sending={busy || !inService}
        onOpen={open}
        onAgain={(entry) => {
          open(entry);
          void send(entry.question, entry.question.body);
        }}
        onClear={() => {
          keepHistory(place, []);
          setHistory([]);
        }}
      />
    </SpaceBetween>
  );
}

const PLACEHOLDERS: Record<Kind, string> = {
  csv: "5.1,3.5,1.4,0.2\n6.7,3.0,5.2,2.3",
  json: '{"instances": [[5.1, 3.5, 1.4, 0.2]]}',
  other: "The body of the request",
  file: "",
};

function kindOf(contentType: string): Kind {
  if (/csv/.test(contentType)) return "csv";
  return /^application\/json\b/.test(contentType) ? "json" : "other";
}

function typeOf(file: string): string {
  const ending = file.toLowerCase().split(".").pop() ?? "";
  const known: Record<string, string> = { csv: "text/csv", json: "application/json", jsonl: "application/jsonlines", txt: "text/plain", libsvm: "text/libsvm", npy: "application/x-npy" };
  return known[ending] ?? "application/octet-stream";
}

function mistake(text: string): string {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return told(error).message;
  }
}
