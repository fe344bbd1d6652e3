import Select, { type SelectProps } from "@cloudscape-design/components/select";
import { useCallback, useEffect, useRef, useState } from "react";

import { call, type Members } from "../api/client";
import { told } from "../api/errors";
import { asDate } from "./Time";

interface Props {
  /** The List operation of SageMaker whose rows are offered. */
  operation: string;
  rows: string;
  /** The member of a row that is its name. */
  name: string;
  value: string;
  onChange: (name: string) => void;
  label: string;
  placeholder?: string;
  /** Names that are not offered, such as the one that is used now. */
  except?: string[];
  fixed?: Members;
}

const OFFERED = 50;

/** Chooses a resource by a part of its name; the server finds it, however many there are. */
export function ResourceSelect({ operation, rows, name, value, onChange, label, placeholder, except = [], fixed = {} }: Props) {
  const [options, setOptions] = useState<SelectProps.Option[]>([]);
  const [status, setStatus] = useState<"loading" | "finished" | "error">("loading");
  const [problem, setProblem] = useState("");
  const [text, setText] = useState("");
  const given = JSON.stringify([fixed, except]);
  const asking = useRef<AbortController>(undefined);

  const ask = useCallback(
    async (contains: string) => {
      const [members, left] = JSON.parse(given) as [Members, string[]];
      asking.current?.abort();
      const gone = new AbortController();
      asking.current = gone;
      setStatus("loading");
      try {
        const found = await call<Members>(
          "sagemaker",
          operation,
          { ...members, MaxResults: OFFERED, SortBy: "CreationTime", SortOrder: "Descending", ...(contains ? { NameContains: contains } : {}) },
          gone.signal,
        );
        const all = (found[rows] ?? []) as Members[];
        setOptions(
          all
            .filter((row) => !left.includes(String(row[name])))
            .map((row) => ({ value: String(row[name]), label: String(row[name]), description: asDate(row["CreationTime"])?.toLocaleString() ?? "" })),
        );
        setStatus("finished");
      } catch (error) {
        if (gone.signal.aborted) return;
        setProblem(told(error).message);
        setStatus("error");
      }
    },
    [operation, rows, name, given],
  );

  useEffect(() => {
    const timer = setTimeout(() => void ask(text.trim()), text ? 200 : 0);
    return () => clearTimeout(timer);
  }, [ask, text]);

  return (
    <Select
      selectedOption={value ? { value, label: value } : null}
      options={options}
      onChange={({ detail }) => onChange(detail.selectedOption.value ?? "")}
      filteringType="manual"
      onLoadItems={({ detail }) => setText(detail.filteringText)}
      filteringPlaceholder="A part of its name"
      filteringAriaLabel={`Find ${label.toLowerCase()}`}
      statusType={status}
      loadingText="Looking"
      errorText={problem}
      recoveryText="Try again"
      empty="None of that name"
      placeholder={placeholder ?? "Choose one"}
      ariaLabel={label}
    />
  );
}
