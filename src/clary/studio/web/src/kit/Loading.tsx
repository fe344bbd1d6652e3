import Box from "@cloudscape-design/components/box";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Spinner from "@cloudscape-design/components/spinner";

/** A page whose title is known and whose content is on its way. */
export function Loading({ page }: { page: string }) {
  return (
    <ContentLayout header={<Header variant="h1">{page}</Header>}>
      <Box textAlign="center" padding="xxxl">
        <div role="status" aria-label="Loading">
          <Spinner size="large" />
        </div>
      </Box>
    </ContentLayout>
  );
}
