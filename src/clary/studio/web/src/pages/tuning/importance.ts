import { type Dimension, unquoted, valueAt } from "./dimensions";
import type { Direction, Trial } from "./tuning";

/** Fewer trials tell nothing that chance would not. */
export const LEAST_TRIALS = 12;
const MOST_GROUPS = 5;
const LEAST_IN_GROUP = 4;

export interface Importance {
  name: string;
  /** The part of the differences between trials that goes with it, from 0 to 1. */
  share: number;
  /** The values of the group that did best. */
  best: [number, number] | string;
}

/**
 * How much of the objective goes with each hyperparameter alone, the most important first.
 *
 * The adjusted correlation ratio of the objective's ranks: trials are put into groups of equal size by the value of
 * the hyperparameter, a category into a group of its own; what lies between the groups is a part of the variance, from
 * which goes what chance would give.
 */
export function importanceOf(dimensions: Dimension[], trials: Trial[], direction: Direction): Importance[] {
  const sign = direction === "Maximize" ? 1 : -1;
  return dimensions
    .flatMap((dimension) => {
      const known = trials.flatMap((trial) => {
        const at = valueAt(dimension, trial.tuned);
        return trial.value === undefined || at === undefined ? [] : [{ at, value: sign * trial.value }];
      });
      return known.length < LEAST_TRIALS ? [] : [{ name: dimension.name, ...explained(dimension, known) }];
    })
    .sort((a, b) => b.share - a.share);
}

interface Known {
  at: number;
  value: number;
}

function explained(dimension: Dimension, known: Known[]): Omit<Importance, "name"> {
  const outcome = ranks(known.map(({ value }) => value));
  const groups = new Map<number, { at: number; rank: number }[]>();
  const numbers = groupsOf(dimension, known);
  known.forEach(({ at }, index) => {
    const number = numbers[index] ?? 0;
    groups.set(number, [...(groups.get(number) ?? []), { at, rank: outcome[index] ?? 0 }]);
  });
  const average = mean(outcome);
  const all = sum(outcome.map((rank) => (rank - average) ** 2));
  const members = [...groups.values()];
  const between = sum(members.map((group) => group.length * (mean(group.map(({ rank }) => rank)) - average) ** 2));
  const free = known.length - members.length;
  const share = all === 0 || members.length < 2 || free <= 0 ? 0 : Math.max(0, 1 - ((1 - between / all) * (known.length - 1)) / free);
  const best = members.reduce((a, b) => (mean(b.map(({ rank }) => rank)) > mean(a.map(({ rank }) => rank)) ? b : a));
  const values = best.map(({ at }) => at);
  return { share, best: dimension.kind === "category" ? unquoted(dimension.values[values[0] ?? 0] ?? "") : [Math.min(...values), Math.max(...values)] };
}

/** The group of each: its category, or its part of the order. Equal values are in the same group. */
function groupsOf(dimension: Dimension, known: Known[]): number[] {
  if (dimension.kind === "category") return known.map(({ at }) => at);
  const count = Math.min(MOST_GROUPS, Math.floor(known.length / LEAST_IN_GROUP));
  return ranks(known.map(({ at }) => at)).map((rank) => Math.min(count - 1, Math.floor(((rank - 0.5) * count) / known.length)));
}

/** The ranks of numbers, counted from 1; equal ones share theirs. */
function ranks(values: number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const found = new Array<number>(values.length);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && order[last + 1]?.value === order[first]?.value) last += 1;
    for (let at = first; at <= last; at += 1) found[order[at]?.index ?? 0] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return found;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: number[]): number {
  return sum(values) / values.length;
}
