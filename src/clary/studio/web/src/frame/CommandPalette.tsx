import Autosuggest, { type AutosuggestProps } from "@cloudscape-design/components/autosuggest";
import Modal from "@cloudscape-design/components/modal";
import { useEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router-dom";

import { call } from "../api/client";
import { type Noun, nouns } from "../api/model";
import { resourcePath } from "../kit/paths";
import { PLACES } from "./places";

interface Found {
  text: string;
  detail: string;
  path: string;
}

const LOOKED_AT_MOST = 6;

/** Goes to any page or resource by typing a part of its name. */
export function CommandPalette({ visible, onDismiss }: { visible: boolean; onDismiss: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [known, setKnown] = useState<Noun[]>([]);
  const [found, setFound] = useState<Found[]>([]);
  const [busy, setBusy] = useState(false);
  const input = useRef<AutosuggestProps.Ref>(null);

  useEffect(() => {
    if (!visible) return;
    setText("");
    setFound([]);
    void nouns().then((services) => setKnown(services.find((each) => each.service === "sagemaker")?.nouns ?? []));
    const timer = setTimeout(() => input.current?.focus(), 50);
    return () => clearTimeout(timer);
  }, [visible]);

  useEffect(() => {
    const wanted = text.trim();
    if (!visible || wanted.length < 2) {
      setFound([]);
      return;
    }
    const gone = new AbortController();
    const timer = setTimeout(() => {
      setBusy(true);
      void search(known, wanted, gone.signal)
        .then(setFound)
        .catch(() => undefined)
        .finally(() => setBusy(false));
    }, 150);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [text, known, visible]);

  const options = useMemo<AutosuggestProps.Options>(() => {
    const pages = [
      ...PLACES.filter((place) => !place.path.includes(":")).map((place) => ({ value: place.path, label: place.title })),
      ...known.map((noun) => ({ value: `/explorer/sagemaker/${noun.noun}`, label: noun.title })),
    ];
    const resources = found.map((each) => ({ value: each.path, label: each.text, description: each.detail }));
    return resources.length > 0
      ? [
          { label: "Resources", options: resources },
          { label: "Pages", options: pages },
        ]
      : pages;
  }, [known, found]);

  return (
    <Modal visible={visible} onDismiss={onDismiss} header="Go to" size="medium" position="top" closeAriaLabel="Close">
      <Autosuggest
        ref={input}
        value={text}
        onChange={({ detail }) => setText(detail.value)}
        onSelect={({ detail }) => {
          const path = detail.value.startsWith("/") ? detail.value : best(detail.value, options);
          if (!path) return;
          onDismiss();
          navigate(path);
        }}
        options={options}
        statusType={busy ? "loading" : "finished"}
        loadingText="Looking for resources"
        placeholder="A page, or a part of a resource's name"
        ariaLabel="Go to a page or a resource"
        clearAriaLabel="Clear"
        enteredTextLabel={(value) => `Search for ${value}`}
        empty="Nothing of that name"
        virtualScroll
      />
    </Modal>
  );
}

/** Where somebody means to go who typed a text and chose nothing: what is called so, else what begins so, else what has it in its name. */
function best(text: string, options: AutosuggestProps.Options): string | undefined {
  const wanted = text.trim().toLowerCase();
  const all = options.flatMap((option) => ("options" in option ? option.options : [option])).map((option) => ({ path: option.value ?? "", label: option.label?.toLowerCase() ?? "" }));
  const found = all.find(({ label }) => label === wanted) ?? all.find(({ label }) => label.startsWith(wanted)) ?? all.find(({ label }) => label.includes(wanted));
  return wanted ? found?.path : undefined;
}

/** Resources whose names contain `text`, from every noun that has a name to filter by. */
async function search(known: Noun[], text: string, signal: AbortSignal): Promise<Found[]> {
  const asked = known.filter((noun) => noun.verbs.list && noun.names.length === 1 && noun.filters.includes("NameContains") && !noun.later);
  const answers = await Promise.all(
    asked.map(async (noun) => {
      try {
        const page = await call("sagemaker", noun.verbs.list ?? "", { NameContains: text, MaxResults: LOOKED_AT_MOST }, signal);
        const rows = (page[noun.rows] ?? []) as Record<string, unknown>[];
        return rows.map((row) => ({ noun, row }));
      } catch {
        return [];
      }
    }),
  );
  return answers.flat().map(({ noun, row }) => ({
    text: String(row[noun.names.at(-1) ?? ""] ?? row[`${noun.noun}Name`] ?? row["Name"] ?? ""),
    detail: noun.title,
    path: resourcePath("sagemaker", noun, row),
  }));
}
