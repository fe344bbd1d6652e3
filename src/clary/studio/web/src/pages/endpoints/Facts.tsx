import { S3Link } from "../../kit/S3Link";
import { alarmsOf, type DeploymentConfig, told } from "./deployment";
import type { Endpoint } from "./endpoint";

/** Which part of the requests an endpoint keeps, leading to where they are. */
export function Captured({ endpoint }: { endpoint: Endpoint }) {
  const { EnableCapture: on, CaptureStatus: status, CurrentSamplingPercentage: percent, DestinationS3Uri: uri } = endpoint.DataCaptureConfig ?? {};
  if (!on || status === "Stopped" || !uri) return <>Off</>;
  return (
    <>
      {percent ?? 100} % of the requests, in <S3Link uri={`${uri.replace(/\/$/, "")}/${endpoint.EndpointName}/`} shown={uri} />
    </>
  );
}

/** How the last update moved the traffic, and which alarms would have taken it back. */
export function Policy({ config }: { config: DeploymentConfig }) {
  const alarms = alarmsOf(config);
  return (
    <>
      {told(config)}
      {alarms.length > 0 && `; taken back by ${alarms.join(", ")}`}
    </>
  );
}
