import { Saved } from "./Saved";

interface Props {
  /** The folder in S3. */
  uri: string;
  /** Where the job has it. */
  path: string | undefined;
  ended: boolean;
}

/** What a training job has saved to go on from. */
export function Checkpoints({ uri, path, ended }: Props) {
  return (
    <Saved
      title="Checkpoints"
      uri={uri}
      ended={ended}
      about={
        <>
          {" · in the job "}
          <span className="clary-mono">{path ?? "/opt/ml/checkpoints"}</span>
        </>
      }
    />
  );
}
