import { useCallback, useEffect, useRef, useState } from "react";

export interface Polled<T> {
  value: T | undefined;
  error: unknown;
  loading: boolean;
  /** Asks again at once. */
  again: () => void;
}

/**
 * What `ask` answers, asked again every `milliseconds` while the tab is looked at; 0 asks once.
 *
 * A failure keeps the last value, so that a page does not go blank while Clary restarts.
 */
export function usePolling<T>(ask: (signal: AbortSignal) => Promise<T>, keys: unknown[], milliseconds = 0): Polled<T> {
  const [value, setValue] = useState<T>();
  const [error, setError] = useState<unknown>();
  const [loading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const key = JSON.stringify(keys);

  useEffect(() => {
    setValue(undefined);
    setError(undefined);
  }, [key]);

  useEffect(() => {
    const gone = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    async function look() {
      try {
        const found = await latest.current(gone.signal);
        if (gone.signal.aborted) return;
        setValue(found);
        setError(undefined);
      } catch (problem) {
        if (gone.signal.aborted) return;
        setError(problem);
      }
      setLoading(false);
      if (milliseconds > 0) timer = setTimeout(next, milliseconds);
    }
    function next() {
      if (document.hidden) timer = setTimeout(next, milliseconds);
      else void look();
    }
    setLoading(true);
    void look();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [key, milliseconds, round]);

  const again = useCallback(() => setRound((count) => count + 1), []);
  return { value, error, loading, again };
}
