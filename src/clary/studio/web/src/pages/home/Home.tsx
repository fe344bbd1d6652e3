import Header from "@cloudscape-design/components/header";

import { useTrail } from "../../frame/trail";

/** What runs, what failed, and how to begin. */
export default function Home() {
  useTrail({ text: "Home" });
  return <Header variant="h1">Home</Header>;
}
