const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** A moment as people say it, with the exact time in its tooltip; takes seconds since the epoch. */
export function Time({ at }: { at: unknown }) {
  const moment = asDate(at);
  if (!moment) return <>-</>;
  return (
    <time dateTime={moment.toISOString()} title={exact.format(moment)}>
      {ago(moment)}
    </time>
  );
}

/** Seconds as hours, minutes and seconds. */
export function duration(seconds: unknown): string {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return "-";
  if (seconds > 0 && seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}

export function asDate(at: unknown): Date | null {
  if (typeof at !== "number" && typeof at !== "string") return null;
  const moment = typeof at === "number" ? new Date(at * 1000) : new Date(at);
  return Number.isNaN(moment.getTime()) ? null : moment;
}

export function exactly(at: unknown): string {
  const moment = asDate(at);
  return moment ? exact.format(moment) : "-";
}

function ago(moment: Date): string {
  const seconds = (moment.getTime() - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}
