import Icon from "@cloudscape-design/components/icon";

/** Which values of a metric are better, as an arrow and a word. */
export function Better({ direction }: { direction: "Maximize" | "Minimize" | undefined }) {
  if (!direction) return <>-</>;
  const higher = direction === "Maximize";
  return (
    <span className="clary-keep">
      <Icon name={higher ? "arrow-up" : "arrow-down"} size="small" /> {higher ? "Higher" : "Lower"}
    </span>
  );
}
