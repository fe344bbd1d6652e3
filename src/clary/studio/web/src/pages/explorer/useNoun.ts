import { useEffect, useState } from "react";
import { useParams } from "react-router-dom";

import { type Noun, nouns } from "../../api/model";

/** The noun that the address names: undefined while it is looked for, null where there is none. */
export function useNoun(): { service: string; noun: Noun | null | undefined; error: unknown } {
  const { service = "", noun: name = "" } = useParams();
  const [noun, setNoun] = useState<Noun | null>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    setNoun(undefined);
    nouns()
      .then((services) => {
        const found = services.find((each) => each.service === service)?.nouns.find((each) => each.noun === name);
        setNoun(found ?? null);
      })
      .catch(setError);
  }, [service, name]);
  return { service, noun, error };
}
