import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";

/** Text that can be copied, such as an ARN or an S3 address; `shown` stands for it where it is long. */
export function Copy({ text, shown }: { text: unknown; shown?: string }) {
  if (typeof text !== "string" || !text) return <>-</>;
  return (
    <span className="clary-mono" {...(shown ? { title: text } : {})}>
      <CopyToClipboard
        variant="inline"
        textToCopy={text}
        {...(shown ? { textToDisplay: shown } : {})}
        copyButtonAriaLabel={`Copy ${text}`}
        copySuccessText="Copied"
        copyErrorText="The browser did not let it be copied"
      />
    </span>
  );
}
