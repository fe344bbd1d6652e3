import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { EChartsType } from "echarts/core";
import { useMemo, useState } from "react";

import { shown } from "../../../kit/Chart";
import { below, To } from "../../../kit/To";
import { type Ink, useDrawing } from "../../../kit/useDrawing";
import { axisOf, type Dimension, placeOf, valueOf } from "../dimensions";
import { isBetter, type Trial } from "../tuning";
import { type Brush, crossings, type Intervals, isChosen, isOpen } from "./brush";
import { BrushFields } from "./BrushFields";
import { axisStyle, said, themed, TOOLTIP, type TrialsChart } from "./points";

const SCALES = { linear: "", log: " (log)", reverse: " (reverse log)" };
const load = () => import("../../../kit/echartsParallel");

/** Each trial as a line through its hyperparameters to what it reached; parts of the axes can be chosen. */
export function Parallel({ dimensions, trials, best, direction, metric }: TrialsChart & { dimensions: Dimension[] }) {
  const lines = useMemo(
    () =>
      trials.flatMap((trial) => {
        const crossed = crossings(dimensions, trial);
        return crossed ? [{ trial, crossed, value: trial.value ?? 0 }] : [];
      }),
    [dimensions, trials],
  );
  const [brush, setBrush] = useState<Brush>(() => [...dimensions, metric].map(() => []));
  const values = lines.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];

  function noted(chart: EChartsType) {
    // What a person draws along an axis with the mouse.
    chart.on("axisareaselected", (event) => {
      const { parallelAxisId, intervals } = event as unknown as { parallelAxisId: string; intervals: Intervals };
      const axis = Number(parallelAxisId);
      const dimension = dimensions[axis];
      const read = (at: number) => (dimension ? valueOf(dimension, at) : at);
      setBrush((before) => before.map((kept, index) => (index === axis ? intervals.map(([low, high]): [number, number] => [read(low), read(high)]) : kept)));
    });
  }

  const { place, chart } = useDrawing(
    (ink) => ({
      animation: false,
      tooltip: { ...TOOLTIP, formatter: ({ data }: { data: { said: string } }) => data.said },
      parallel: { left: 60, right: 80, top: 40, bottom: 24 },
      parallelAxis: [...dimensions.map((dimension, index) => axis(ink, index, dimension)), objectiveAxis(ink, dimensions.length, metric)],
      series: [
        {
          type: "parallel",
          inactiveOpacity: 0.06,
          activeOpacity: 0.9,
          lineStyle: { opacity: 0.75 },
          emphasis: { lineStyle: { width: 4 } },
          // The better ones lie above the others.
          data: [...lines]
            .sort((a, b) => (isBetter(direction, a.value, b.value) ? 1 : -1))
            .map(({ trial, crossed, value }) => ({
              value: crossed.map((at, index) => placed(dimensions[index], at)),
              said: said(trial, metric),
              lineStyle: { color: between(share(value, least, most, direction)), width: trial.name === best ? 4 : 1.5 },
            })),
        },
      ],
    }),
    [JSON.stringify([dimensions, lines]), best, direction, metric],
    { load, keep: true, onReady: noted },
  );

  function choose(axis: number, intervals: Intervals) {
    setBrush((before) => before.map((kept, index) => (index === axis ? intervals : kept)));
    const dimension = dimensions[axis];
    const ends = dimension ? [dimension.low, dimension.high] : [least, most];
    const bounded = intervals.map(([low, high]) => [placed(dimension, Math.max(low, ends[0] ?? low)), placed(dimension, Math.min(high, ends[1] ?? high))]);
    chart.current?.dispatchAction({ type: "axisAreaSelect", parallelAxisId: String(axis), intervals: bounded }, { silent: true });
  }

  const chosen = lines.filter(({ crossed }) => isChosen(brush, crossed));
  const left = trials.length - lines.length;
  return (
    <SpaceBetween size="s">
      <div className="clary-chart-head">
        <Box variant="h3">Hyperparameters and {metric}</Box>
        <div className="clary-scale">
          <span>{shown(direction === "Maximize" ? least : most)}</span>
          <span className="clary-scale-bar" aria-hidden="true" />
          <span>
            {shown(direction === "Maximize" ? most : least)} (best)
          </span>
        </div>
      </div>
      <div className="clary-chart clary-parallel" ref={place} role="img" aria-label={`Each trial as a line through ${[...dimensions.map(({ name }) => name), metric].join(", ")}. ${lines.length} trials`} />
      <div className="clary-chart-head">
        <div role="status">
          {isOpen(brush) ? (
            <Box color="text-body-secondary">
              Draw along an axis to see only the trials that cross it there{left > 0 && `; ${left} without a value ${left === 1 ? "is" : "are"} not shown`}
            </Box>
          ) : (
            <>
              <b>
                {chosen.length} of {lines.length}
              </b>{" "}
              trials
              <BestOf lines={chosen} better={(a, b) => isBetter(direction, a, b)} />
            </>
          )}
        </div>
        <Button disabled={isOpen(brush)} onClick={() => brush.forEach((_, axis) => choose(axis, []))}>
          Show all
        </Button>
      </div>
      <ExpandableSection headerText="Choose with the keyboard">
        <BrushFields dimensions={dimensions} metric={metric} brush={brush} onChange={choose} />
      </ExpandableSection>
    </SpaceBetween>
  );
}

function BestOf({ lines, better }: { lines: { trial: Trial; value: number }[]; better: (a: number, b: number) => boolean }) {
  const [first, ...others] = lines;
  if (!first) return null;
  const best = others.reduce((a, b) => (better(b.value, a.value) ? b : a), first);
  return (
    <>
      , the best of them <To path={below("training-jobs", best.trial.name)}>{best.trial.name}</To> with {shown(best.value)}
    </>
  );
}

function axis(ink: Ink, index: number, dimension: Dimension) {
  const scale = axisOf(dimension, shown);
  const { axisLabel: label, ...kept } = common(ink, index, `${dimension.name}${SCALES[dimension.scale]}`);
  return { ...kept, ...scale, axisLabel: { ...label, ...(scale as { axisLabel?: object }).axisLabel } };
}

function objectiveAxis(ink: Ink, index: number, metric: string) {
  const { axisLabel: label, ...kept } = common(ink, index, metric);
  return { ...kept, type: "value", scale: true, axisLabel: { ...label, formatter: shown } };
}

function common(ink: Ink, index: number, name: string) {
  return {
    id: String(index),
    dim: index,
    name,
    nameTruncate: { maxWidth: 140 },
    ...axisStyle(ink),
    nameTextStyle: { color: ink.text, fontWeight: "bold" },
    axisLine: { lineStyle: { color: ink.text } },
    // Above the lines, which would cross it out.
    z: 3,
    axisLabel: { color: ink.text, backgroundColor: `${ink.page}d9`, padding: [1, 3] },
    axisTick: { alignWithLabel: true },
    areaSelectStyle: { width: 22, borderColor: "#0f766e", color: "#0f766e", opacity: 0.25 },
  };
}

function placed(dimension: Dimension | undefined, value: number): number {
  return dimension ? placeOf(dimension, value) : value;
}

/** How good a value is among all: 0 for the worst, 1 for the best. */
function share(value: number, least: number, most: number, direction: TrialsChart["direction"]): number {
  if (least === most) return 1;
  const part = (value - least) / (most - least);
  return direction === "Maximize" ? part : 1 - part;
}

/** The colour of a share; the stylesheet has the colours, of which the legend is made too. */
function between(share: number): string {
  const [worst, middle, best] = ["--clary-worst", "--clary-middle", "--clary-top"].map((name) => parts(themed(name)));
  const [from, to, at] = share < 0.5 ? [worst, middle, 2 * share] : [middle, best, 2 * share - 1];
  return `rgb(${(from ?? []).map((value, index) => Math.round(value + ((to?.[index] ?? value) - value) * at)).join(",")})`;
}

function parts(hex: string): number[] {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
