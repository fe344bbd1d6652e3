import type { FlashbarProps } from "@cloudscape-design/components/flashbar";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";

import { told } from "../api/errors";

interface Notices {
  items: FlashbarProps.MessageDefinition[];
  succeeded: (text: string) => void;
  failed: (what: string, error: unknown) => void;
}

const Context = createContext<Notices | null>(null);
const SHOWN_MILLISECONDS = 8000;
let last = 0;

/** Keeps the messages that stand above the page. */
export function NoticeProvider({ children }: { children: ReactNode }) {
  const [items, setItems] = useState<FlashbarProps.MessageDefinition[]>([]);
  const remove = useCallback((id: string) => setItems((all) => all.filter((item) => item.id !== id)), []);
  const add = useCallback(
    (type: "success" | "error", header: string, content?: string) => {
      const id = `notice-${++last}`;
      const item: FlashbarProps.MessageDefinition = {
        id,
        type,
        header,
        content,
        dismissible: true,
        dismissLabel: "Dismiss",
        onDismiss: () => remove(id),
        ariaRole: type === "error" ? "alert" : "status",
      };
      setItems((all) => [item, ...all].slice(0, 5));
      if (type === "success") setTimeout(() => remove(id), SHOWN_MILLISECONDS);
    },
    [remove],
  );
  const value = useMemo<Notices>(
    () => ({
      items,
      succeeded: (text) => add("success", text),
      failed: (what, error) => {
        const { code, message } = told(error);
        add("error", what, `${message} (${code})`);
      },
    }),
    [items, add],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** Tells a person that something succeeded or failed. */
export function useNotices(): Notices {
  const notices = useContext(Context);
  if (!notices) throw new Error("no notices");
  return notices;
}
