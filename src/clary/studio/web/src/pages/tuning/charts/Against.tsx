import Box from "@cloudscape-design/components/box";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";

import { shown } from "../../../kit/Chart";
import { useDrawing } from "../../../kit/useDrawing";
import { useTab } from "../../../kit/useTab";
import { axisOf, type Dimension, placeOf, valueAt } from "../dimensions";
import { axisStyle, BEST, KINDS, kindOf, said, scatter, TOOLTIP, type TrialsChart } from "./points";

/** One hyperparameter against the objective. */
export function Against({ dimensions, ...chart }: TrialsChart & { dimensions: Dimension[] }) {
  const [asked, choose] = useTab("", "x");
  const dimension = dimensions.find(({ name }) => name === asked) ?? dimensions[0];
  if (!dimension) return null;
  return (
    <SpaceBetween size="s">
      <div className="clary-chart-head">
        <Box variant="h3">One hyperparameter</Box>
        <Select
          selectedOption={{ value: dimension.name, label: dimension.name }}
          options={dimensions.map(({ name }) => ({ value: name, label: name }))}
          onChange={({ detail }) => choose(detail.selectedOption.value ?? "")}
          filteringType={dimensions.length > 8 ? "auto" : "none"}
          ariaLabel="Hyperparameter"
          expandToViewport
        />
      </div>
      <Points dimension={dimension} {...chart} />
    </SpaceBetween>
  );
}

function Points({ dimension, trials, best, metric }: TrialsChart & { dimension: Dimension }) {
  const points = trials.flatMap((trial) => {
    const at = valueAt(dimension, trial.tuned);
    return at === undefined || trial.value === undefined ? [] : [{ trial, at, value: trial.value }];
  });
  const { place } = useDrawing(
    (ink) => {
      const style = axisStyle(ink);
      const axis = axisOf(dimension, shown);
      const label = (axis as { axisLabel?: object }).axisLabel;
      const data = (some: typeof points) => some.map(({ trial, at, value }) => ({ value: [placeOf(dimension, at), value], said: said(trial, metric) }));
      return {
        animation: false,
        grid: { left: 72, right: 24, top: 40, bottom: 48 },
        legend: { top: 0, textStyle: { color: ink.text } },
        tooltip: { ...TOOLTIP, formatter: ({ data: point }: { data: { said: string } }) => point.said },
        xAxis: { ...axis, name: dimension.name, nameLocation: "middle", nameGap: 30, ...style, splitLine: { show: false }, axisLabel: { ...label, color: ink.text, hideOverlap: true } },
        yAxis: { type: "value", name: metric, nameLocation: "middle", nameGap: 52, scale: true, boundaryGap: ["2%", "10%"], ...style, axisLabel: { color: ink.text, formatter: shown } },
        series: [
          ...KINDS.map((kind) => scatter(kind, data(points.filter(({ trial }) => kindOf(trial) === kind && trial.name !== best)))),
          scatter(BEST, data(points.filter(({ trial }) => trial.name === best))),
        ].filter((series) => series.data.length > 0),
      };
    },
    [JSON.stringify([dimension, points]), best, metric],
  );
  const found = points.find(({ trial }) => trial.name === best)?.trial;
  const where = found ? `, best at ${found.tuned[dimension.name] ?? "-"}` : "";
  return <div className="clary-chart" ref={place} role="img" aria-label={`${dimension.name} against ${metric}. ${points.length} trials${where}`} />;
}
