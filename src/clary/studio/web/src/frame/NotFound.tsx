import Box from "@cloudscape-design/components/box";
import Link from "@cloudscape-design/components/link";
import { useHref } from "react-router-dom";

import { useTrail } from "./trail";

/** The page of an address that leads nowhere. */
export function NotFound() {
  useTrail({ text: "Not found" });
  const home = useHref("/");
  return (
    <Box textAlign="center" padding="xxxl">
      <Box variant="h1">There is no such page</Box>
      <Link href={home}>Back to the start</Link>
    </Box>
  );
}
