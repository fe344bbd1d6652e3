import { useCallback, useEffect, useRef, useState } from "react";

import type { Row } from "./ResourceTable";

const AT_ONCE = 6;

interface Described<T> {
  /** What is known of a row; undefined while it is asked, null where it cannot be told. */
  of: (row: Row) => T | null | undefined;
  /** The rows that are shown now; for the `onRows` of ResourceTable. */
  show: (rows: Row[]) => void;
}

/**
 * What a list shows of its rows that List does not tell: asked once for each `key` of a row that is seen.
 *
 * The key of a row holds all that changes when the row does, such as its name and when it was last modified.
 */
export function useDescribed<T>(key: (row: Row) => string, ask: (row: Row, signal: AbortSignal) => Promise<T>): Described<T> {
  const [known, setKnown] = useState<ReadonlyMap<string, T | null>>(new Map());
  const asked = useRef(new Set<string>());
  const waiting = useRef<Row[]>([]);
  const running = useRef(0);
  const gone = useRef<AbortController>(undefined);
  const latest = useRef({ key, ask });
  latest.current = { key, ask };

  useEffect(() => {
    gone.current = new AbortController();
    return () => {
      gone.current?.abort();
      asked.current.clear();
      waiting.current = [];
    };
  }, []);

  const work = useCallback(async () => {
    running.current += 1;
    for (let row = waiting.current.shift(); row; row = waiting.current.shift()) {
      const signal = gone.current?.signal;
      if (!signal || signal.aborted) break;
      const name = latest.current.key(row);
      const value = await latest.current.ask(row, signal).catch(() => null);
      if (!signal.aborted) setKnown((before) => new Map(before).set(name, value));
    }
    running.current -= 1;
  }, []);

  const show = useCallback(
    (rows: Row[]) => {
      for (const row of rows) {
        const name = latest.current.key(row);
        if (asked.current.has(name)) continue;
        asked.current.add(name);
        waiting.current.push(row);
      }
      while (running.current < AT_ONCE && waiting.current.length > running.current) void work();
    },
    [work],
  );

  return { of: (row) => known.get(key(row)), show };
}
