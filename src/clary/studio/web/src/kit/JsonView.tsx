import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import SpaceBetween from "@cloudscape-design/components/space-between";

/** A value as indented JSON, to read and to copy. */
export function JsonView({ value, label = "JSON" }: { value: unknown; label?: string }) {
  const text = JSON.stringify(value, null, 2) ?? "";
  return (
    <SpaceBetween size="xs">
      <CopyToClipboard
        textToCopy={text}
        copyButtonText={`Copy ${label}`}
        copySuccessText="Copied"
        copyErrorText="The browser did not let it be copied"
      />
      <pre className="clary-json" tabIndex={0} aria-label={label}>
        {text}
      </pre>
    </SpaceBetween>
  );
}
