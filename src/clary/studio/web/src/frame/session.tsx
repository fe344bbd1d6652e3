import { createContext, useContext } from "react";

import type { Session } from "../api/session";

export interface Frame {
  session: Session;
  region: string;
  setRegion: (name: string) => void;
  signOut: () => void;
}

export const FrameContext = createContext<Frame | null>(null);

/** Who is signed in, and in which region the pages look. */
export function useFrame(): Frame {
  const frame = useContext(FrameContext);
  if (!frame) throw new Error("no session");
  return frame;
}
