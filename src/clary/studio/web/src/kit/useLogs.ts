import { useEffect, useRef, useState } from "react";

import { call } from "../api/client";
import { ApiError } from "../api/errors";

export interface LogEvent {
  timestamp: number;
  message: string;
}

export interface Logs {
  events: LogEvent[];
  streams: string[];
  stream: string;
  choose: (stream: string) => void;
  loading: boolean;
  error: unknown;
}

const MILLISECONDS = 1500;
const MOST_EVENTS = 200_000;

/** The events of a job's or an endpoint's log stream as they come; the names of streams begin with `prefix`, if it is not empty. */
export function useLogs(group: string, prefix: string, live: boolean): Logs {
  const [streams, setStreams] = useState<string[]>([]);
  const [chosen, choose] = useState("");
  const [events, setEvents] = useState<LogEvent[]>([]);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>();
  const stream = chosen || streams[0] || "";
  const running = useRef(live);
  running.current = live;

  useEffect(() => {
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    async function look() {
      try {
        const answer = await call<{ logStreams: { logStreamName: string }[] }>(
          "logs",
          "DescribeLogStreams",
          { logGroupName: group, ...(prefix ? { logStreamNamePrefix: prefix } : {}) },
          gone.signal,
        );
        setStreams(answer.logStreams.map((each) => each.logStreamName));
        setError(undefined);
        if (answer.logStreams.length > 0 && !running.current) return;
      } catch (problem) {
        if (gone.signal.aborted) return;
        // There is no group before the first job writes.
        if (problem instanceof ApiError && problem.code === "ResourceNotFoundException") setLoading(false);
        else setError(problem);
        if (!running.current) return;
      }
      timer = setTimeout(() => void look(), MILLISECONDS);
    }
    void look();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [group, prefix]);

  useEffect(() => {
    setEvents([]);
    if (!stream) return;
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    let token: string | undefined;
    let quiet = 0;
    async function read() {
      try {
        for (;;) {
          const answer = await call<{ events: LogEvent[]; nextForwardToken: string }>(
            "logs",
            "GetLogEvents",
            { logGroupName: group, logStreamName: stream, startFromHead: true, ...(token ? { nextToken: token } : {}) },
            gone.signal,
          );
          const more = answer.events;
          const same = answer.nextForwardToken === token;
          token = answer.nextForwardToken;
          if (more.length > 0) setEvents((all) => [...all, ...more].slice(-MOST_EVENTS));
          if (more.length === 0 || same) break;
        }
        setError(undefined);
      } catch (problem) {
        if (gone.signal.aborted) return;
        setError(problem);
      }
      setLoading(false);
      // A job that has ended may still have lines on their way.
      quiet = running.current ? 0 : quiet + 1;
      if (quiet < 3) timer = setTimeout(() => void read(), MILLISECONDS);
    }
    void read();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [group, stream]);

  return { events, streams, stream, choose, loading, error };
}
