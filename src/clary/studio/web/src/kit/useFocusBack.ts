import { useEffect, useState } from "react";

/** Gives the focus back to what had it before a dialog opened, for dialogs that exist only while they are open. */
export function useFocusBack(): void {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // What opened the dialog may be disabled until the change of this moment is drawn.
      setTimeout(() => {
        if (before instanceof HTMLElement && before.isConnected && (document.activeElement === document.body || !document.activeElement)) before.focus();
      });
    },
    [before],
  );
}
