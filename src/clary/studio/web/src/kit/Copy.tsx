import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";

/** Text that can be copied, such as an ARN or an S3 address. */
export function Copy({ text }: { text: unknown }) {
  if (typeof text !== "string" || !text) return <>-</>;
  return (
    <span className="clary-mono">
      <CopyToClipboard
        variant="inline"
        textToCopy={text}
        copyButtonAriaLabel={`Copy ${text}`}
        copySuccessText="Copied"
        copyErrorText="The browser did not let it be copied"
      />
    </span>
  );
}
