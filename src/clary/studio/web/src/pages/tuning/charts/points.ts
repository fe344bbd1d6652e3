import { shown } from "../../../kit/Chart";
import type { Ink } from "../../../kit/useDrawing";
import { unquoted } from "../dimensions";
import type { Direction, Trial } from "../tuning";

/** What all charts of trials are given. */
export interface TrialsChart {
  trials: Trial[];
  best: string | undefined;
  direction: Direction;
  metric: string;
}

/** How trials are drawn by how they ended: by shape, and by a colour of the stylesheet. */
export const KINDS = [
  { name: "Completed", symbol: "circle", colour: "--clary-top" },
  { name: "Stopped early", symbol: "diamond", colour: "--clary-middle" },
] as const;
export const BEST = { name: "Best", symbol: "pin", colour: "--clary-right" } as const;
export const FAILED = { name: "No value", symbol: "path://M2,0L5,3L8,0L10,2L7,5L10,8L8,10L5,7L2,10L0,8L3,5L0,2Z", colour: "--clary-worst" } as const;

/** A series of points that look alike. */
export function scatter({ name, symbol, colour }: { name: string; symbol: string; colour: string }, data: object[]) {
  return { name, type: "scatter", symbol, symbolSize: symbol === BEST.symbol ? 26 : 9, color: themed(colour), itemStyle: { opacity: 1 }, data };
}

/** A colour of the stylesheet in the theme that is shown now. */
export function themed(name: string): string {
  return getComputedStyle(document.body).getPropertyValue(name).trim();
}

export function kindOf(trial: Trial): (typeof KINDS)[number] {
  return trial.status === "Stopped" ? KINDS[1] : KINDS[0];
}

/** What is said of a trial that is pointed at; as plain text, since names are what people wrote. */
export function said(trial: Trial, metric: string): string {
  const given = Object.entries(trial.tuned).map(([name, text]) => `${name} ${unquoted(text)}`);
  const reached = trial.value === undefined ? trial.status : `${metric} ${shown(trial.value)}`;
  return [`${trial.number}. ${trial.name}`, reached, ...given].join("\n");
}

/** How the axes of a chart look. */
export function axisStyle({ text, line }: Ink): { nameTextStyle: object; axisLine: object; splitLine: object } {
  return { nameTextStyle: { color: text }, axisLine: { lineStyle: { color: line } }, splitLine: { lineStyle: { color: line } } };
}

/** What shows a trial that is pointed at. */
export const TOOLTIP = { trigger: "item", confine: true, renderMode: "richText" } as const;
