import Box from "@cloudscape-design/components/box";
import Spinner from "@cloudscape-design/components/spinner";
import { useCallback, useEffect, useMemo, useState } from "react";

import { setRegion } from "../api/client";
import { told } from "../api/errors";
import { currentSession, type Session, signInByLink, signOut } from "../api/session";
import { Frame } from "./Frame";
import { NoticeProvider } from "./notices";
import { FrameContext } from "./session";
import { SignIn } from "./SignIn";

const REGION = "clary-region";

/** Signs in, then shows the frame with its pages. */
export function App() {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [said, setSaid] = useState<string>();
  const [region, chooseRegion] = useState("");

  const look = useCallback(async () => {
    try {
      const found = await currentSession();
      if (found) {
        const saved = localStorage.getItem(REGION);
        const chosen = saved && found.regions.includes(saved) ? saved : found.region;
        setRegion(chosen);
        chooseRegion(chosen);
      }
      setSession(found);
    } catch (error) {
      setSaid(told(error).message);
      setSession(null);
    }
  }, []);

  useEffect(() => {
    function enter() {
      // A one-time link carries its ticket in the fragment, which no server and no log ever sees.
      const ticket = new URLSearchParams(location.hash.slice(1)).get("ticket");
      if (!ticket) return false;
      history.replaceState(null, "", location.pathname + location.search);
      signInByLink(ticket)
        .catch((error: unknown) => setSaid(told(error).message))
        .finally(() => void look());
      return true;
    }
    if (!enter()) void look();
    // A link that is opened where Studio is open already loads nothing anew.
    addEventListener("hashchange", enter);
    return () => removeEventListener("hashchange", enter);
  }, [look]);

  const frame = useMemo(
    () =>
      session && {
        session,
        region,
        setRegion: (name: string) => {
          localStorage.setItem(REGION, name);
          setRegion(name);
          chooseRegion(name);
        },
        signOut: () => {
          void signOut().finally(() => {
            setSaid(undefined);
            setSession(null);
          });
        },
      },
    [session, region],
  );

  if (session === undefined) {
    return (
      <Box textAlign="center" padding="xxxl">
        <Spinner size="large" />
      </Box>
    );
  }
  if (!frame) return <SignIn onDone={() => void look()} {...(said ? { said } : {})} />;
  return (
    <FrameContext.Provider value={frame}>
      <NoticeProvider>
        <Frame key={region} />
      </NoticeProvider>
    </FrameContext.Provider>
  );
}
