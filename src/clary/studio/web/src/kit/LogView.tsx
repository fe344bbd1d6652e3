import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Toggle from "@cloudscape-design/components/toggle";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";

import { Failure } from "./Failure";
import type { LogEvent, Logs } from "./useLogs";

const SHOWN_LINES = 5000;

/** The log of a job or an endpoint: follows it, finds in it, keeps it as a file. */
export function LogView({ logs, name }: { logs: Logs; name: string }) {
  const [text, setText] = useState("");
  const [follow, setFollow] = useState(true);
  const [times, setTimes] = useState(true);
  const pane = useRef<HTMLDivElement>(null);
  const lower = text.toLowerCase();
  const lines = useMemo(() => {
    const found = lower ? logs.events.filter((event) => event.message.toLowerCase().includes(lower)) : logs.events;
    return found.slice(-SHOWN_LINES);
  }, [logs.events, lower]);

  useEffect(() => {
    if (follow && pane.current) pane.current.scrollTop = pane.current.scrollHeight;
  }, [lines, follow]);

  function download() {
    const whole = logs.events.map((event) => `${new Date(event.timestamp).toISOString()} ${event.message}`).join("\n");
    const url = URL.createObjectURL(new Blob([whole, "\n"], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${name}.log`;
    link.click();
    URL.revokeObjectURL(url);
  }

  if (logs.error && logs.events.length === 0) return <Failure what="The log cannot be shown" error={logs.error} />;
  return (
    <SpaceBetween size="s">
      <SpaceBetween direction="horizontal" size="s" alignItems="center">
        {logs.streams.length > 1 && (
          <Select
            selectedOption={{ value: logs.stream, label: streamLabel(logs.stream, logs.streams) }}
            options={logs.streams.map((each) => ({ value: each, label: streamLabel(each, logs.streams) }))}
            onChange={({ detail }) => logs.choose(detail.selectedOption.value ?? "")}
            ariaLabel="Log stream"
          />
        )}
        <Input value={text} onChange={({ detail }) => setText(detail.value)} type="search" clearAriaLabel="Clear" placeholder="Find in the log" ariaLabel="Find in the log" />
        <Toggle checked={follow} onChange={({ detail }) => setFollow(detail.checked)}>
          Follow
        </Toggle>
        <Toggle checked={times} onChange={({ detail }) => setTimes(detail.checked)}>
          Times
        </Toggle>
        <Button iconName="download" disabled={logs.events.length === 0} onClick={download}>
          Download
        </Button>
        <Box color="text-body-secondary">
          {lower ? `${lines.length} of ${logs.events.length} lines` : `${logs.events.length} ${logs.events.length === 1 ? "line" : "lines"}`}
        </Box>
      </SpaceBetween>
      <div className="clary-log" style={{ height: 480 }} ref={pane} tabIndex={0} role="log" aria-label={`Log of ${name}`}>
        {lines.length === 0 && (logs.loading ? "Loading …" : lower ? "No line has this text" : "Nothing was written yet")}
        {lines.map((event, index) => (
          <div key={index}>
            {times && <time dateTime={new Date(event.timestamp).toISOString()}>{clock(event)}</time>}
            {marked(event.message, lower)}
          </div>
        ))}
      </div>
    </SpaceBetween>
  );
}

/** The name of a stream without what all of them begin with, such as the name of their job. */
function streamLabel(stream: string, all: string[]): string {
  const first = `${stream.split("/")[0] ?? ""}/`;
  return all.every((each) => each.startsWith(first)) ? stream.slice(first.length) : stream;
}

function clock(event: LogEvent): string {
  const moment = new Date(event.timestamp);
  return `${moment.toLocaleTimeString(undefined, { hour12: false })}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
}

function marked(message: string, lower: string): ReactNode {
  if (!lower) return message;
  const parts: ReactNode[] = [];
  let from = 0;
  const small = message.toLowerCase();
  for (let at = small.indexOf(lower); at >= 0; at = small.indexOf(lower, from)) {
    parts.push(message.slice(from, at), <mark key={at}>{message.slice(at, at + lower.length)}</mark>);
    from = at + lower.length;
  }
  parts.push(message.slice(from));
  return parts;
}
