import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";

import { told } from "../api/errors";

/** What could not be shown, why, and a way to try it again. */
export function Failure({ what, error, again }: { what: string; error: unknown; again?: () => void }) {
  const { code, message } = told(error);
  return (
    <Alert type="error" header={what} action={again && <Button onClick={again}>Try again</Button>}>
      {message} ({code})
    </Alert>
  );
}
