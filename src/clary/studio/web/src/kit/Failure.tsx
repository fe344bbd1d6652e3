import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";

import { told } from "../api/errors";

interface Props {
  what: string;
  error: unknown;
  again?: () => void;
  /** The title of the page, where nothing else of it can be shown. */
  page?: string;
}

/** What could not be shown, why, and a way to try it again. */
export function Failure({ what, error, again, page }: Props) {
  const { code, message } = told(error);
  const alert = (
    <Alert type="error" header={what} action={again && <Button onClick={again}>Try again</Button>}>
      {message} ({code})
    </Alert>
  );
  if (!page) return alert;
  return <ContentLayout header={<Header variant="h1">{page}</Header>}>{alert}</ContentLayout>;
}
