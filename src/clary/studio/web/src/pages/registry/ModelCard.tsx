import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { JsonView } from "../../kit/JsonView";
import { Status, words } from "../../kit/Status";

/** What people wrote down about a version: what it is for, how it was trained, what its risks are. */
export function ModelCard({ card }: { card: { ModelCardContent?: string; ModelCardStatus?: string } }) {
  const content = parsed(card.ModelCardContent);
  return (
    <SpaceBetween size="l">
      <Container header={<Header>Model card</Header>}>
        <KeyValuePairs columns={4} minColumnWidth={200} items={[{ label: "Status", value: <Status value={card.ModelCardStatus} /> }]} />
      </Container>
      {content === null ? (
        <Box>{card.ModelCardContent || "The card is empty."}</Box>
      ) : (
        Object.entries(content).map(([section, value]) => <Section key={section} title={words(section)} value={value} />)
      )}
    </SpaceBetween>
  );
}

function Section({ title, value }: { title: string; value: unknown }) {
  const members = value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : null;
  const simple = (members ?? []).filter(([, inner]) => typeof inner !== "object" || inner === null);
  const nested = (members ?? []).filter(([, inner]) => typeof inner === "object" && inner !== null);
  return (
    <Container header={<Header>{title}</Header>}>
      <SpaceBetween size="m">
        {simple.length > 0 && <KeyValuePairs columns={2} items={simple.map(([name, inner]) => ({ label: words(name), value: String(inner) || "-" }))} />}
        {nested.map(([name, inner]) => (
          <ExpandableSection key={name} headerText={words(name)} defaultExpanded>
            <JsonView value={inner} label={words(name).toLowerCase()} />
          </ExpandableSection>
        ))}
        {members === null && <JsonView value={value} label={title.toLowerCase()} />}
      </SpaceBetween>
    </Container>
  );
}

function parsed(text: string | undefined): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(text ?? "");
    return found && typeof found === "object" ? (found as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
