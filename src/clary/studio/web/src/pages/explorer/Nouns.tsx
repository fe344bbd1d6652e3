import Badge from "@cloudscape-design/components/badge";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useEffect, useState } from "react";

import { type Noun, nouns } from "../../api/model";
import { useTrail } from "../../frame/trail";
import { Failure } from "../../kit/Failure";
import { below, To } from "../../kit/To";

type Row = Noun & { service: string };

/** Every noun of every service: the way to any resource. */
export default function Nouns() {
  useTrail({ text: "All resources" });
  const [rows, setRows] = useState<Row[]>();
  const [error, setError] = useState<unknown>();
  const [text, setText] = useState("");

  useEffect(() => {
    nouns()
      .then((services) => setRows(services.flatMap(({ service, nouns: all }) => all.map((noun) => ({ ...noun, service })))))
      .catch(setError);
  }, []);

  if (error) return <Failure what="The resources cannot be listed" error={error} />;
  const shown = (rows ?? []).filter((row) => `${row.title} ${row.noun} ${row.service}`.toLowerCase().includes(text.toLowerCase()));
  return (
    <Table
      variant="full-page"
      items={shown}
      loading={!rows}
      loadingText="Loading"
      header={
        <Header variant="awsui-h1-sticky" counter={rows && `(${rows.length})`} description="Every type of resource, from the service models">
          All resources
        </Header>
      }
      filter={
        <TextFilter
          filteringText={text}
          onChange={({ detail }) => setText(detail.filteringText)}
          filteringPlaceholder="Find a type"
          filteringClearAriaLabel="Clear" filteringAriaLabel="Find a type"
          countText={text ? `${shown.length} found` : ""}
        />
      }
      columnDefinitions={[
        {
          id: "title",
          header: "Type",
          cell: (row) => <To path={below("explorer", row.service, row.noun)}>{row.title}</To>,
          isRowHeader: true,
        },
        { id: "service", header: "Service", cell: (row) => row.service },
        { id: "verbs", header: "Operations", cell: (row) => Object.keys(row.verbs).join(", ") },
        { id: "later", header: "", cell: (row) => (row.later ? <Badge>Not available yet</Badge> : "") },
      ]}
      ariaLabels={{ tableLabel: "All resources" }}
    />
  );
}
