/** How often a running job is asked how it goes. */
export const LIVE_MILLISECONDS = 1500;

/** Whether a job will not change any more. */
export function hasEnded(status: string): boolean {
  return ["Completed", "Failed", "Stopped"].includes(status);
}
