import { type Dimension, valueAt } from "../dimensions";
import type { Trial } from "../tuning";

/** The parts of an axis that are chosen, from and to; none chooses all of it. */
export type Intervals = [number, number][];

/** What is chosen on each axis: one for each hyperparameter, and the last for the objective. */
export type Brush = Intervals[];

/** Where a trial crosses the axes; undefined for one that does not cross them all. */
export function crossings(dimensions: Dimension[], trial: Trial): number[] | undefined {
  const found = [...dimensions.map((dimension) => valueAt(dimension, trial.tuned)), trial.value];
  return found.every((value) => value !== undefined) ? (found as number[]) : undefined;
}

export function isChosen(brush: Brush, crossed: number[]): boolean {
  return crossed.every((value, axis) => {
    const intervals = brush[axis] ?? [];
    return intervals.length === 0 || intervals.some(([low, high]) => low <= value && value <= high);
  });
}

export function isOpen(brush: Brush): boolean {
  return brush.every((intervals) => intervals.length === 0);
}
