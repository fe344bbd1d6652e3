/** How the traffic of an endpoint moves to another configuration, as UpdateEndpoint takes it and DescribeEndpoint tells it. */
export interface DeploymentConfig {
  BlueGreenUpdatePolicy?: {
    TrafficRoutingConfiguration: { Type: Routing; WaitIntervalInSeconds?: number; CanarySize?: Size; LinearStepSize?: Size };
    TerminationWaitInSeconds?: number;
    MaximumExecutionTimeoutInSeconds?: number;
  };
  AutoRollbackConfiguration?: { Alarms?: { AlarmName?: string }[] };
}

export type Routing = "ALL_AT_ONCE" | "CANARY" | "LINEAR";

interface Size {
  Type: "CAPACITY_PERCENT" | "INSTANCE_COUNT";
  Value: number;
}

/** What somebody chooses of it. */
export interface Choice {
  routing: Routing;
  size: string;
  unit: Size["Type"];
  wait: string;
  alarms: string[];
}

export const USUAL: Choice = { routing: "ALL_AT_ONCE", size: "20", unit: "CAPACITY_PERCENT", wait: "0", alarms: [] };
const USUAL_WAIT = "300";
const LONGEST_WAIT_SECONDS = 3600;
const LARGEST_PERCENT = 50;
const SMALLEST_STEP_PERCENT = 10;

/** A choice with another routing; what moves in parts needs a while in between. */
export function routed(choice: Choice, routing: Routing): Choice {
  const wait = routing === "ALL_AT_ONCE" ? USUAL.wait : choice.routing === "ALL_AT_ONCE" ? USUAL_WAIT : choice.wait;
  return { ...choice, routing, wait };
}

/** What of a choice the server would refuse, by its field. */
export function mistakes({ routing, size, unit, wait }: Choice): { size?: string; wait?: string } {
  const found: { size?: string; wait?: string } = {};
  const [part, seconds] = [Number(size), Number(wait)];
  if (routing !== "ALL_AT_ONCE") {
    const least = routing === "LINEAR" && unit === "CAPACITY_PERCENT" ? SMALLEST_STEP_PERCENT : 1;
    const most = unit === "CAPACITY_PERCENT" ? LARGEST_PERCENT : Infinity;
    if (!Number.isInteger(part) || part < least || part > most) found.size = most === Infinity ? "A whole number of instances, at least 1" : `A whole number from ${least} to ${most}`;
  }
  if (!wait.trim() || !Number.isInteger(seconds) || seconds < 0 || seconds > LONGEST_WAIT_SECONDS) found.wait = `Whole seconds from 0 to ${LONGEST_WAIT_SECONDS}`;
  return found;
}

/** The `DeploymentConfig` of a choice; none where the traffic moves at once and nothing watches it. */
export function configOf({ routing, size, unit, wait, alarms }: Choice): DeploymentConfig | undefined {
  if (routing === "ALL_AT_ONCE" && Number(wait) === 0 && alarms.length === 0) return undefined;
  const part: Size = { Type: unit, Value: Number(size) };
  return {
    BlueGreenUpdatePolicy: {
      TrafficRoutingConfiguration: {
        Type: routing,
        WaitIntervalInSeconds: Number(wait),
        ...(routing === "CANARY" ? { CanarySize: part } : {}),
        ...(routing === "LINEAR" ? { LinearStepSize: part } : {}),
      },
    },
    ...(alarms.length ? { AutoRollbackConfiguration: { Alarms: alarms.map((AlarmName) => ({ AlarmName })) } } : {}),
  };
}

/** How the traffic moves, in a sentence. */
export function told(config: DeploymentConfig | undefined): string {
  const routing = config?.BlueGreenUpdatePolicy?.TrafficRoutingConfiguration;
  const wait = routing?.WaitIntervalInSeconds ?? 0;
  if (routing?.Type === "CANARY") return `Canary: ${part(routing.CanarySize)} first, the rest after ${wait} s`;
  if (routing?.Type === "LINEAR") return `Linear: in steps of ${part(routing.LinearStepSize)}, ${wait} s each`;
  return wait > 0 ? `All at once, then ${wait} s of baking` : "All at once";
}

/** The alarms that take an update back. */
export function alarmsOf(config: DeploymentConfig | undefined): string[] {
  return (config?.AutoRollbackConfiguration?.Alarms ?? []).flatMap(({ AlarmName: name }) => (name ? [name] : []));
}

function part(size: Size | undefined): string {
  if (!size) return "-";
  return size.Type === "CAPACITY_PERCENT" ? `${size.Value} %` : `${size.Value} ${size.Value === 1 ? "instance" : "instances"}`;
}
