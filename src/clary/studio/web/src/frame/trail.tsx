import { createContext, useContext, useEffect } from "react";

export interface Crumb {
  text: string;
  /** The path below Studio; the page itself where it is left out. */
  to?: string;
}

export const TrailContext = createContext<(trail: Crumb[]) => void>(() => undefined);

/** Says where a page is: its breadcrumbs, and the title of the browser's tab. */
export function useTrail(...trail: Crumb[]): void {
  const set = useContext(TrailContext);
  const text = JSON.stringify(trail);
  useEffect(() => set(JSON.parse(text) as Crumb[]), [set, text]);
}
