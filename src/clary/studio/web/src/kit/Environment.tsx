import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";

import { Copy } from "./Copy";

const SECRET_NAME = /(secret|passw|token(?!iz)|credential|private|api.?key|access.?key|auth|license.?key)/i;
const SECRET_VALUE = /^(hf_|sk-|ghp_|github_pat_|xox[bap]-|AKIA|ASIA|eyJ|-----BEGIN)/;

/** Whether a variable looks as if it holds something that bystanders should not read. */
export function looksSecret(name: string, value: string): boolean {
  return (SECRET_NAME.test(name) && !/^[\d.]*$/.test(value)) || SECRET_VALUE.test(value);
}

/** The variables of a container; what looks like a secret is hidden until somebody asks for it. */
export function Environment({ variables }: { variables: Record<string, string> | undefined }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const items = Object.entries(variables ?? {}).map(([name, value]) => ({ name, value, secret: looksSecret(name, value) }));
  function turn(name: string) {
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  }
  return (
    <Table
      variant="borderless"
      wrapLines
      header={
        <Header variant="h2" counter={`(${items.length})`}>
          Environment
        </Header>
      }
      items={items}
      columnDefinitions={[
        { id: "name", header: "Variable", isRowHeader: true, width: 320, cell: (row) => <span className="clary-mono">{row.name}</span> },
        {
          id: "value",
          header: "Value",
          cell: (row) =>
            row.secret ? (
              <SpaceBetween direction="horizontal" size="xs" alignItems="center">
                {open.has(row.name) ? <Copy text={row.value} /> : <span aria-label="Hidden value">••••••••</span>}
                <Button variant="inline-link" ariaLabel={`${open.has(row.name) ? "Hide" : "Show"} ${row.name}`} onClick={() => turn(row.name)}>
                  {open.has(row.name) ? "Hide" : "Show"}
                </Button>
              </SpaceBetween>
            ) : (
              <span className="clary-mono">{row.value}</span>
            ),
        },
      ]}
      empty={<Box color="text-body-secondary">No variables</Box>}
      ariaLabels={{ tableLabel: "Environment" }}
    />
  );
}

/** A value for people to read as JSON in which what looks like a secret is hidden. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, typeof inner === "string" && looksSecret(name, inner) ? "••••••••" : withoutSecrets(inner)]),
  );
}
