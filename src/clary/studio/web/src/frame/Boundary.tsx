import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import { Component, type ReactNode } from "react";

/** Shows a message in the place of a page that failed, and keeps the frame. */
export class Boundary extends Component<{ children: ReactNode }, { problem: string }> {
  override state = { problem: "" };

  static getDerivedStateFromError(error: unknown) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (!this.state.problem) return this.props.children;
    return (
      <Alert
        type="error"
        header="This page failed"
        action={<Button onClick={() => location.reload()}>Load it again</Button>}
      >
        {this.state.problem}
      </Alert>
    );
  }
}
