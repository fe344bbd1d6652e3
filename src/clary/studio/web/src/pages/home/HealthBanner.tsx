import Alert from "@cloudscape-design/components/alert";

import { problems } from "../../api/health";
import { To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";

const MILLISECONDS = 20_000;

/** Says on the home page that something is wrong; nothing where all works, or where one may not know. */
export function HealthBanner() {
  const found = usePolling(problems, [], MILLISECONDS).value ?? [];
  const [worst] = found;
  if (worst?.severity !== "error") return null;
  const more = found.length - 1;
  return (
    <Alert type="error" header={worst.text} action={<To path="/health">See what is wrong</To>}>
      {worst.remedy}
      {more > 0 && ` There ${more === 1 ? "is 1 other problem" : `are ${more} other problems`}.`}
    </Alert>
  );
}
