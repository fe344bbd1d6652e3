import { To } from "./To";

/** An address in S3 that leads to the object or folder in Studio; `shown` stands for it where the folder is known. */
export function S3Link({ uri, shown }: { uri: unknown; shown?: string }) {
  if (typeof uri !== "string" || !uri) return <>-</>;
  const path = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri);
  if (!path) return <>{uri}</>;
  const key = (path[2] ?? "").split("/").map(encodeURIComponent).join("/");
  return (
    <To path={`/storage/${path[1] ?? ""}/${key}`}>
      <span className="clary-mono">{shown ?? uri}</span>
    </To>
  );
}

/** An address in S3 of a folder, which need not end as one. */
export function S3Folder({ uri }: { uri: string | undefined }) {
  return <S3Link uri={uri && !uri.endsWith("/") ? `${uri}/` : uri} />;
}
