import Badge from "@cloudscape-design/components/badge";
import Cards from "@cloudscape-design/components/cards";
import Header from "@cloudscape-design/components/header";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useState } from "react";

import { type Algorithm, algorithms } from "../../api/algorithms";
import { useTrail } from "../../frame/trail";
import { Failure } from "../../kit/Failure";
import { below, To } from "../../kit/To";
import { usePolling } from "../../kit/usePolling";

const TITLE = "Built-in algorithms";

/** What can be trained without a script. */
export default function Algorithms() {
  useTrail({ text: TITLE });
  const [text, setText] = useState("");
  const found = usePolling(algorithms, []);
  if (found.error && !found.value) return <Failure page={TITLE} what="The algorithms cannot be shown" error={found.error} again={found.again} />;
  const all = found.value ?? [];
  const wanted = text.trim().toLowerCase();
  const items = all
    .filter((each) => `${each.title} ${each.kind} ${each.summary} ${each.images.join(" ")}`.toLowerCase().includes(wanted))
    .sort((a, b) => a.kind.localeCompare(b.kind) || a.title.localeCompare(b.title));
  return (
    <Cards<Algorithm>
      variant="full-page"
      stickyHeader={false}
      header={
        <Header variant="h1" counter={found.value && `(${all.length})`} description="Trained without a script: they need data and some hyperparameters.">
          {TITLE}
        </Header>
      }
      filter={<TextFilter filteringText={text} onChange={({ detail }) => setText(detail.filteringText)} filteringPlaceholder="Find an algorithm" filteringAriaLabel="Find an algorithm" countText={wanted ? `${items.length} found` : ""} />}
      items={items}
      loading={!found.value}
      loadingText="Loading"
      trackBy="name"
      cardsPerRow={[{ cards: 1 }, { minWidth: 600, cards: 2 }, { minWidth: 1000, cards: 3 }]}
      cardDefinition={{
        header: (each) => (
          <To path={below("algorithms", each.name)} fontSize="heading-m">
            {each.title}
          </To>
        ),
        sections: [
          { id: "kind", content: (each) => <Badge color="grey">{each.kind}</Badge> },
          { id: "summary", content: (each) => each.summary },
          { id: "image", content: (each) => <span className="clary-mono">{each.images[0]}</span> },
        ],
      }}
      empty="None of that name"
      ariaLabels={{ itemSelectionLabel: (_, each) => each.title, selectionGroupLabel: TITLE, cardsLabel: TITLE }}
    />
  );
}
